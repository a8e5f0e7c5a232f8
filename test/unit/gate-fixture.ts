import type { Judged } from '../../support/gates/result';
import { verdictOf, type GateVerdict } from '../../support/gates/result';
import { judgeDnsPlan, readZone } from '../../support/gates/dns/gate';
import { parsePlan } from '../../support/gates/plan-document';

/** Plans in the shape that OpenTofu 1.12's `tofu show -json` writes, with only what a case is about. */

export const cloudflare = 'registry.opentofu.org/cloudflare/cloudflare';
export const ovh = 'registry.opentofu.org/ovh/ovh';
export const zone = 'sandbox.arcodange.fr';
export const zoneId = '023e105f4ecef8ad9ca31a8372d0c353';
export const foreignId = 'aaaa105f4ecef8ad9ca31a8372d0bbbb';

type Values = Record<string, unknown>;

export interface ChangeParts {
  address?: string;
  module?: string;
  mode?: 'managed' | 'data';
  provider?: string;
  actions?: string[];
  before?: Values | null;
  after?: Values | null;
  unknown?: Values;
  importing?: Values;
  previous?: string;
  deposed?: string;
}

/** One entry of `resource_changes`: by default a creation. */
export function change(type: string, parts: ChangeParts): Values {
  const local = `${parts.mode === 'data' ? 'data.' : ''}${type}.one`;
  const address = parts.address ?? (parts.module === undefined ? local : `${parts.module}.${local}`);
  return {
    address,
    ...(parts.module === undefined ? {} : { module_address: parts.module }),
    ...(parts.previous === undefined ? {} : { previous_address: parts.previous }),
    ...(parts.deposed === undefined ? {} : { deposed: parts.deposed }),
    mode: parts.mode ?? 'managed',
    type,
    name: 'one',
    provider_name: parts.provider ?? (type.startsWith('ovh_') ? ovh : cloudflare),
    change: {
      actions: parts.actions ?? ['create'],
      before: parts.before ?? null,
      after: parts.after ?? null,
      after_unknown: parts.unknown ?? {},
      before_sensitive: false,
      after_sensitive: {},
      ...(parts.importing === undefined ? {} : { importing: parts.importing }),
    },
  };
}

/** The zone as data sources of earlier runs know it: what most records refer to. */
export const knownZones: Values = {
  values: {
    root_module: {
      resources: [
        {
          address: 'data.cloudflare_zone.sandbox',
          mode: 'data',
          type: 'cloudflare_zone',
          values: { zone_id: zoneId, name: zone },
        },
        {
          address: 'data.cloudflare_zone.production',
          mode: 'data',
          type: 'cloudflare_zone',
          values: { zone_id: foreignId, name: 'arcodange.fr' },
        },
      ],
    },
  },
};

export function planText(changes: readonly Values[], more: Values = {}): string {
  return JSON.stringify({
    format_version: '1.2',
    terraform_version: '1.12.6',
    prior_state: knownZones,
    resource_changes: changes,
    ...more,
  });
}

export function judgePlan(changes: readonly Values[], more: Values = {}): Judged & { verdict: GateVerdict } {
  const judged = judgeDnsPlan(parsePlan(planText(changes, more), 'plan.json'), readZone(zone));
  return { ...judged, verdict: verdictOf(judged.findings) };
}

/** What the gate says of one created record at Cloudflare. */
export function record(values: Values, parts: ChangeParts = {}): Judged & { verdict: GateVerdict } {
  return judgePlan([change('cloudflare_dns_record', { after: { zone_id: zoneId, name: 'www', ...values }, ...parts })]);
}
