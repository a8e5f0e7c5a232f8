/** A throwaway zone that belongs to nobody: the boundary lets no command be started with a name of production's domain. */
export const zone = 'sandbox.example.org';
const zoneId = '023e105f4ecef8ad9ca31a8372d0c353';

/**
 * A plan of so many DNS records in the throwaway zone, in the shape of OpenTofu 1.12's `tofu show -json`: half at
 * Cloudflare, half at OVH; two thirds are changed, with their values before and after, the others made. Every one must be
 * judged.
 */
export function largePlan(records: number): string {
  return JSON.stringify({
    format_version: '1.2',
    terraform_version: '1.12.6',
    prior_state: {
      values: {
        root_module: {
          resources: [
            {
              address: 'data.cloudflare_zone.sandbox',
              mode: 'data',
              type: 'cloudflare_zone',
              values: { zone_id: zoneId, name: zone },
            },
          ],
        },
      },
    },
    resource_changes: Array.from({ length: records }, (_, index) => recordChange(index)),
  });
}

function recordChange(index: number): Record<string, unknown> {
  const provider = index % 2 === 0 ? 'cloudflare' : 'ovh';
  const type = provider === 'cloudflare' ? 'cloudflare_dns_record' : 'ovh_domain_zone_record';
  const values = provider === 'cloudflare' ? cloudflareRecord : ovhRecord;
  const made = index % 3 === 0;
  const moduleAddress = `module.records["part-${index % 50}"]`;
  return {
    address: `${moduleAddress}.${type}.one["host-${index}"]`,
    module_address: moduleAddress,
    mode: 'managed',
    type,
    name: 'one',
    index: `host-${index}`,
    provider_name: `registry.opentofu.org/${provider}/${provider}`,
    change: {
      actions: [made ? 'create' : 'update'],
      before: made ? null : values(index, 3600),
      after: values(index, 300),
      after_unknown: made ? { id: true } : {},
      before_sensitive: false,
      after_sensitive: {},
    },
  };
}

function cloudflareRecord(index: number, ttl: number): Record<string, unknown> {
  return {
    zone_id: zoneId,
    name: `host-${index}.${zone}`,
    type: 'TXT',
    content: `v=rehearsal; number=${index}; ${'x'.repeat(200)}`,
    ttl,
    proxied: false,
    comment: `Record ${index} of the throwaway zone`,
    tags: ['rehearsal', `part-${index % 50}`],
    settings: { ipv4_only: null, ipv6_only: null, flatten_cname: null },
    data: null,
    priority: null,
  };
}

function ovhRecord(index: number, ttl: number): Record<string, unknown> {
  return {
    zone,
    subdomain: `host-${index}`,
    fieldtype: 'TXT',
    target: `v=rehearsal; number=${index}; ${'x'.repeat(200)}`,
    ttl,
  };
}
