import { OperatorError } from '../../failure';
import type { Finding } from '../../finding';
import { production } from '../../isolation';
import { judged, type GateResult, type Judged } from '../result';
import { DnsJudge, touch } from './judge';
import { readName } from './names';
import { readPlan, type Plan } from '../plan-document';
import { ZoneIndex } from './zones';

export interface DnsGateOptions {
  /** The throwaway zone, in Unicode or punycode. */
  zone: string;
  /** Ids of the throwaway zone at Cloudflare that the caller vouches for. */
  zoneIds?: readonly string[];
}

/**
 * The DNS plan gate (seed 002): every record and zone that a plan touches lies in the throwaway zone.
 * @param file the output of `tofu show -json`, or `-` for the standard input.
 * @throws OperatorError when the zone is no zone, or production's own.
 */
export async function dnsGate(file: string, options: DnsGateOptions): Promise<GateResult> {
  const zone = readZone(options.zone);
  return judged('dns', file, async () => judgeDnsPlan(await readPlan(file), zone, options.zoneIds));
}

/** Judges a plan that was read. @param zone as `readZone` returns it. */
export function judgeDnsPlan(plan: Plan, zone: string, zoneIds: readonly string[] = []): Judged {
  const judge = new DnsJudge(zone, new ZoneIndex(plan, zone, zoneIds));
  const findings: Finding[] = [];
  const sections = { resource_changes: plan.resource_changes ?? [], resource_drift: plan.resource_drift ?? [] };
  let still = 0;
  for (const [source, changes] of Object.entries(sections)) {
    for (const change of changes) {
      const action = touch(change);
      if (action === undefined) still++;
      else findings.push(judge.judge(change, source === 'resource_drift' ? `drift (${action})` : action, source));
    }
  }
  findings.push(...wholePlan(plan));
  if (findings.length === 0) findings.push(untouched(zone, still));
  return { summary: summary(zone, findings, still), findings };
}

/**
 * Reads the throwaway zone's name.
 * @throws OperatorError (exit code 2) when it is no zone or production's own domain.
 */
export function readZone(text: string): string {
  const reading = readName(text);
  const zone = reading.readable ? reading.ascii : '';
  const labels = zone.split('.').filter((label) => label !== '');
  const problem = !reading.readable
    ? reading.why
    : labels.length < 2 || labels.includes('*')
      ? 'a zone has at least two labels and no wildcard'
      : zone === production.domain
        ? "that is production's own zone"
        : undefined;
  if (problem === undefined) return zone;
  throw new OperatorError({
    attempted: 'judge a DNS plan',
    where: `--zone ${text}`,
    expected: 'the name of the throwaway zone, such as sandbox.example.org',
    seen: problem,
    next: 'give the throwaway zone with --zone.',
    exitCode: 2,
  });
}

/** What holds for the plan as a whole: it must be finished, and say something. */
function wholePlan(plan: Plan): Finding[] {
  const findings: Finding[] = [];
  const expected = 'a plan that OpenTofu finished';
  if (plan.errored === true) {
    const hint = 'run `tofu plan` again, mend what it says, and give the plan that comes out.';
    findings.push({
      subject: 'the plan',
      status: 'unmet',
      expected,
      actual: 'planning ended with an error',
      source: 'errored',
      hint,
    });
  }
  const deferred = plan.deferred_changes?.length ?? 0;
  if (deferred > 0) {
    const hint = 'plan again when what they wait for exists: what they will touch is not known yet.';
    findings.push({
      subject: 'the plan',
      status: 'unmet',
      expected,
      actual: `${deferred} changes are deferred`,
      source: 'deferred_changes',
      hint,
    });
  }
  return findings;
}

/** A plan without changes is fine when it knows resources, and says nothing when it knows none. */
function untouched(zone: string, still: number): Finding {
  const finding = { subject: 'the plan', expected: `touches nothing outside ${zone}`, source: 'resource_changes' };
  if (still > 0) return { ...finding, status: 'met', actual: `${still} resources, none touched` };
  const hint = 'give the plan of the root that holds the records; an empty plan proves nothing.';
  return { ...finding, status: 'unknown', actual: 'the plan is empty: it holds no resource at all', hint };
}

function summary(zone: string, findings: readonly Finding[], still: number): string {
  const unmet = findings.filter(({ status }) => status === 'unmet');
  if (findings.some(({ status }) => status === 'unknown')) return 'The plan is empty: nothing can be said of it.';
  const quiet = still === 0 ? '' : `, ${still} untouched`;
  const [first] = unmet;
  if (first !== undefined) {
    const count = `${unmet.length} of ${findings.length} touched resources`;
    return `${count} are not proved to lie in ${zone}${quiet}: ${first.subject}: ${first.actual}.`;
  }
  const touched = findings[0]?.subject === 'the plan' ? 0 : findings.length;
  return `All ${touched} touched resources lie in ${zone}${quiet}.`;
}
