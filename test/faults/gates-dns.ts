import { z } from 'zod';
import { factoryFault } from '../../support/gates/faults';
import type { PlantedFault } from './fault';

const dnsPlan = 'dns/plan.json';
const zone = 'sandbox.arcodange.fr';

/** Changes a resource of the recorded plan. */
function inPlan(change: (plan: { resource_changes: Record<string, unknown>[] }) => void): (text: string) => string {
  return (text) => {
    const plan = z
      .object({ resource_changes: z.array(z.record(z.string(), z.unknown())) })
      .loose()
      .parse(JSON.parse(text));
    change(plan);
    return JSON.stringify(plan, null, 2);
  };
}

function cloudflare(name: string, values: object, more: object = {}): Record<string, unknown> {
  return {
    address: `cloudflare_dns_record.${name}`,
    mode: 'managed',
    type: 'cloudflare_dns_record',
    name,
    provider_name: 'registry.opentofu.org/cloudflare/cloudflare',
    change: {
      actions: ['create'],
      before: null,
      after: { zone_id: '023e105f4ecef8ad9ca31a8372d0c353', name: 'www', ...values },
      after_unknown: {},
      ...more,
    },
  };
}

/** A resource in the recorded DNS plan that lies outside the throwaway zone in one more disguise. */
function dns(name: string, breaks: string, change: Record<string, unknown>, says: RegExp): PlantedFault {
  const fault = factoryFault(
    `dns-${name}`,
    breaks,
    dnsPlan,
    inPlan((plan) => plan.resource_changes.push(change)),
  );
  return {
    fault,
    feature: 'features/gates.feature',
    scenario: 'The DNS plan touches the throwaway zone alone',
    redAt: { step: 'the gate is green', says },
  };
}

const ovhRecord = (values: object, more: object = {}): Record<string, unknown> => ({
  address: 'ovh_domain_zone_record.two',
  mode: 'managed',
  type: 'ovh_domain_zone_record',
  name: 'two',
  provider_name: 'registry.opentofu.org/ovh/ovh',
  change: { actions: ['create'], before: null, after: { subdomain: 'www', ...values }, after_unknown: {} },
  ...more,
});

/** Records and resources outside the throwaway zone, each in another disguise. */
export const dnsFaults: readonly PlantedFault[] = [
  dns(
    'look-alike',
    'A record lies under a look-alike of the zone.',
    cloudflare('two', { name: `www.${zone}.evil.example` }),
    /cloudflare_dns_record\.two[\s\S]*evil\.example/,
  ),
  dns(
    'look-alike-before',
    'A record lies in a zone whose name ends like the throwaway one.',
    ovhRecord({ zone: 'notsandbox.arcodange.fr' }),
    /ovh_domain_zone_record\.two[\s\S]*notsandbox/,
  ),
  dns(
    'homograph',
    'A record lies in a zone that looks the same in another script.',
    ovhRecord({ zone: 's\u0430ndbox.arcodange.fr' }),
    /ovh_domain_zone_record\.two[\s\S]*xn--/,
  ),
  dns(
    'unknown-zone',
    'A record lies in a zone that is known only after apply, from a local.',
    cloudflare('two', { zone_id: undefined }, { after_unknown: { zone_id: true } }),
    /cloudflare_dns_record\.two[\s\S]*known only/,
  ),
  dns(
    'foreign-id',
    'A record lies in a zone whose id nothing explains.',
    cloudflare('two', { zone_id: 'ffff105f4ecef8ad9ca31a8372d0ffff' }),
    /cloudflare_dns_record\.two[\s\S]*ffff105f/,
  ),
  dns(
    'forgotten',
    'A record of production is removed from the state.',
    cloudflare('two', {}, { actions: ['forget'], before: { zone_id: 'x', name: 'www.arcodange.fr' }, after: null }),
    /cloudflare_dns_record\.two[\s\S]*forget/,
  ),
  dns(
    'moved',
    'A record of production is moved in the state.',
    {
      ...ovhRecord({}),
      previous_address: 'ovh_domain_zone_record.one',
      change: {
        actions: ['no-op'],
        before: { zone: 'arcodange.fr', subdomain: 'www' },
        after: { zone: 'arcodange.fr', subdomain: 'www' },
        after_unknown: {},
      },
    },
    /ovh_domain_zone_record\.two[\s\S]*move/,
  ),
  dns(
    'other-resource',
    'The DNS plan also makes a bucket.',
    { ...cloudflare('two', {}), address: 'cloudflare_r2_bucket.two', type: 'cloudflare_r2_bucket' },
    /cloudflare_r2_bucket\.two[\s\S]*not a DNS\s+resource/,
  ),
];
