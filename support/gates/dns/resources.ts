/** How a resource type says which zone it touches and which names in it. Attribute names are the provider's. */
export interface DnsType {
  /** Attributes that hold the zone's name. Several are spellings of different provider versions: one must be set. */
  zoneNames?: readonly string[];
  /** The attribute that holds the zone's id at the provider. */
  zoneId?: string;
  /** The attribute that holds the record's name, relative to the zone or whole. */
  recordName?: string;
  /** Computed attributes that hold the record's whole name. */
  wholeNames?: readonly string[];
  /** True where the zone is ordered: its name lies in `plan[].configuration[]` under the label `zone`. */
  ordered?: boolean;
}

/**
 * The DNS resource types of the two providers the factory uses (seed 004, `iac/`), by the providers' documentation:
 * cloudflare/cloudflare 4 and 5, ovh/ovh 1 and 2. Any other type is not DNS and turns the gate red.
 */
const dnsTypes: Readonly<Record<string, DnsType>> = {
  cloudflare_record: { zoneId: 'zone_id', recordName: 'name', wholeNames: ['hostname'] },
  cloudflare_dns_record: { zoneId: 'zone_id', recordName: 'name' },
  cloudflare_zone: { zoneNames: ['name', 'zone'] },
  cloudflare_zone_dnssec: { zoneId: 'zone_id' },
  cloudflare_zone_dns_settings: { zoneId: 'zone_id' },
  ovh_domain_zone: { zoneNames: ['name'], ordered: true },
  ovh_domain_zone_record: { zoneNames: ['zone'], recordName: 'subdomain' },
  ovh_domain_zone_redirection: { zoneNames: ['zone'], recordName: 'subdomain' },
  ovh_domain_zone_dnssec: { zoneNames: ['zone_name'] },
  ovh_domain_zone_import: { zoneNames: ['zone_name'] },
  ovh_domain_zone_dynhost_login: { zoneNames: ['zone_name'], recordName: 'sub_domain' },
  ovh_domain_zone_dynhost_record: { zoneNames: ['zone_name'], recordName: 'sub_domain' },
  ovh_domain_name: { zoneNames: ['domain_name'] },
  ovh_domain_name_servers: { zoneNames: ['domain'] },
  ovh_domain_ds_records: { zoneNames: ['domain'] },
};

/** The names a DNS provider may have in the plan; a type of another provider under the same name is not trusted. */
const providers: Readonly<Record<string, RegExp>> = {
  cloudflare_: /\/(?:cloudflare|hashicorp)\/cloudflare$/,
  ovh_: /\/(?:ovh|hashicorp)\/ovh$/,
};

/** The entry of a DNS resource type, or undefined when the type is not DNS or comes from a stranger's provider. */
export function dnsType(type: string, providerName: string | undefined): DnsType | undefined {
  if (!Object.hasOwn(dnsTypes, type)) return undefined;
  const prefix = type.startsWith('ovh_') ? 'ovh_' : 'cloudflare_';
  const known = providerName === undefined || (providers[prefix]?.test(providerName) ?? false);
  return known ? dnsTypes[type] : undefined;
}

/** Types that stand for a zone, also as data sources: what an unknown zone id or name may refer to. */
export const zoneTypes: ReadonlySet<string> = new Set(['cloudflare_zone', 'ovh_domain_zone']);
