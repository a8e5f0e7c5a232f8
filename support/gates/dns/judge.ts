import type { Finding } from '../../finding';
import { printable, readName, within } from './names';
import { isRecord, type ResourceChange } from '../plan-document';
import { dnsType, type DnsType } from './resources';
import type { ZoneIndex } from './zones';

/** What a change does, in the words of OpenTofu; undefined when it touches nothing. */
export function touch({ change, previous_address, deposed }: ResourceChange): string | undefined {
  const actions = change.actions.filter((action) => action !== 'no-op');
  const verbs = actions.length === 2 ? ['replace'] : [...actions];
  if (change.importing) verbs.push('import');
  if (previous_address !== undefined) verbs.push('move');
  if (deposed !== undefined && verbs.length > 0) verbs.push('of a deposed object');
  return verbs.length === 0 ? undefined : verbs.join(' and ');
}

interface Side {
  when: 'before' | 'after';
  values: Record<string, unknown>;
  /** Attributes known only after apply. */
  unknown: Record<string, unknown>;
}

/** Judges the resources of a plan one by one. */
export class DnsJudge {
  constructor(
    private readonly zone: string,
    private readonly index: ZoneIndex,
  ) {}

  /**
   * Whether a change stays within the throwaway zone: before and after, in name and in zone. Always met or unmet: what the
   * plan does not prove is red.
   * @param source the section of the plan it stands in.
   */
  judge(change: ResourceChange, action: string, source: string): Finding {
    const type = dnsType(change.type, change.provider_name);
    const problems = type === undefined ? [notDns(change)] : this.problems(change, type);
    const finding = { subject: change.address, expected: `in ${this.zone}`, source };
    const first = problems[0];
    if (first === undefined) return { ...finding, status: 'met', actual: `${action} in ${this.zone}` };
    return { ...finding, status: 'unmet', actual: `${action}: ${first.seen}`, hint: first.next };
  }

  private problems(change: ResourceChange, type: DnsType): Problem[] {
    const { before, after, after_unknown } = change.change;
    const sides: Side[] = [];
    if (before) sides.push({ when: 'before', values: before, unknown: {} });
    if (after) sides.push({ when: 'after', values: after, unknown: isRecord(after_unknown) ? after_unknown : {} });
    if (sides.length === 0)
      return [{ seen: 'neither its old nor its new values are known', next: literal('its zone') }];
    return sides.flatMap((side) => this.sideProblems(change, type, side));
  }

  private sideProblems(change: ResourceChange, type: DnsType, side: Side): Problem[] {
    const problems = [this.zoneProblem(change, type, side)];
    if (type.recordName !== undefined) problems.push(this.recordProblem(type.recordName, side));
    for (const attribute of type.wholeNames ?? []) problems.push(this.wholeNameProblem(attribute, side));
    for (const name of nestedNames(side.values['data'])) problems.push(this.nameProblem('data.name', name));
    return problems.filter((problem) => problem !== undefined);
  }

  private zoneProblem(change: ResourceChange, type: DnsType, side: Side): Problem | undefined {
    if (type.zoneId !== undefined) return this.zoneIdProblem(change, type.zoneId, side);
    const attributes = type.zoneNames ?? [];
    for (const attribute of attributes) {
      const value = side.values[attribute];
      if (typeof value === 'string') return this.zoneNameProblem(attribute, value);
    }
    const ordered = type.ordered === true ? orderedZone(side.values) : undefined;
    if (ordered !== undefined) return this.zoneNameProblem('plan.configuration zone', ordered);
    const unknown = attributes.find((attribute) => side.unknown[attribute] === true);
    if (unknown === undefined)
      return { seen: `it names no zone (${attributes.join(', ')})`, next: literal('its zone') };
    const why = this.index.unproved(change.address, change.module_address, unknown);
    return why === undefined ? undefined : unprovable(unknown, why);
  }

  private zoneIdProblem(change: ResourceChange, attribute: string, side: Side): Problem | undefined {
    const id = side.values[attribute];
    if (typeof id === 'string') {
      const name = this.index.zoneOf(id);
      if (name !== undefined && within(name, this.zone)) return undefined;
      if (name !== undefined) return outside(`${attribute} is zone ${name}`, this.zone);
      return {
        seen: `nothing in the plan says which zone ${attribute} ${printable(id)} is`,
        next: `take ${attribute} from a cloudflare_zone resource or data source, or vouch for it with --zone-id.`,
      };
    }
    if (side.unknown[attribute] !== true) return { seen: `it has no ${attribute}`, next: literal(attribute) };
    const why = this.index.unproved(change.address, change.module_address, attribute);
    return why === undefined ? undefined : unprovable(attribute, why);
  }

  private zoneNameProblem(attribute: string, value: string): Problem | undefined {
    const reading = readName(value);
    if (!reading.readable) return illegible(attribute, value, reading.why);
    return within(reading.ascii, this.zone)
      ? undefined
      : outside(`${attribute} is ${shown(value, reading.ascii)}`, this.zone);
  }

  private recordProblem(attribute: string, side: Side): Problem | undefined {
    const value = side.values[attribute];
    if (value === undefined || value === null) {
      return side.unknown[attribute] === true
        ? unprovable(attribute, 'a record name must be known before apply')
        : undefined;
    }
    if (typeof value !== 'string') return illegible(attribute, typeof value, 'it is no text');
    return this.nameProblem(attribute, value);
  }

  private wholeNameProblem(attribute: string, side: Side): Problem | undefined {
    const value = side.values[attribute];
    return typeof value === 'string' && value !== '' ? this.zoneNameProblem(attribute, value) : undefined;
  }

  /** A record's name: relative ones lie in the record's zone, which is judged by itself; whole ones must lie in it too. */
  private nameProblem(attribute: string, value: string): Problem | undefined {
    const reading = readName(value);
    if (!reading.readable) return illegible(attribute, value, reading.why);
    if (!reading.absolute || within(reading.ascii, this.zone)) return undefined;
    return outside(`${attribute} is ${shown(value, reading.ascii)}`, this.zone);
  }
}

/** A reason why a resource is red, and the next step. */
interface Problem {
  seen: string;
  next: string;
}

function notDns({ type, provider_name, mode }: ResourceChange): Problem {
  const kind = mode === 'managed' ? 'resource' : `${mode} resource`;
  const from = provider_name === undefined ? '' : ` of ${printable(provider_name)}`;
  return {
    seen: `${kind} type ${printable(type)}${from} is not a DNS resource`,
    next: 'keep the DNS plan to records and zones; plan everything else in a root of its own.',
  };
}

function outside(seen: string, zone: string): Problem {
  return {
    seen: `${seen}, outside ${zone}`,
    next: `rehearse it below ${zone}; nothing else may be touched from here.`,
  };
}

function illegible(attribute: string, value: string, why: string): Problem {
  return { seen: `${attribute} "${printable(value)}" is not readable as a DNS name: ${why}`, next: literal(attribute) };
}

function unprovable(attribute: string, why: string): Problem {
  return { seen: `${attribute} is known only after apply: ${why}`, next: literal(attribute) };
}

function literal(attribute: string): string {
  return `write ${attribute} as a literal, or refer directly to a zone that lies in the throwaway zone.`;
}

function shown(value: string, ascii: string): string {
  return printable(value) === ascii ? ascii : `"${printable(value)}" (${ascii})`;
}

/** SRV and URI records may carry a name of their own in `data`, a block (version 4: a list) or an object (5). */
function nestedNames(data: unknown): string[] {
  const blocks = Array.isArray(data) ? data : [data];
  return blocks.flatMap((block) => (isRecord(block) && typeof block['name'] === 'string' ? [block['name']] : []));
}

function orderedZone(values: Record<string, unknown>): string | undefined {
  const plans = Array.isArray(values['plan']) ? values['plan'] : [];
  for (const plan of plans) {
    const configuration = isRecord(plan) && Array.isArray(plan['configuration']) ? plan['configuration'] : [];
    for (const entry of configuration) {
      if (isRecord(entry) && entry['label'] === 'zone' && typeof entry['value'] === 'string') return entry['value'];
    }
  }
  return undefined;
}
