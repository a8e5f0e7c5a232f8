import { readName, within } from './names';
import { zoneTypes } from './resources';
import {
  isRecord,
  referencesOf,
  type ConfigModule,
  type ConfigResource,
  type Plan,
  type StateModule,
} from '../plan-document';

/** Takes `[0]` and `["key"]` out of an address: the configuration knows a resource or module once, not an instance. */
export function configAddress(address: string): string {
  return address.replace(/\[(?:"(?:[^"\\]|\\.)*"|-?\d+)\]/g, '');
}

/** The modules on the way to a resource: `module.a["x"].module.b` is `['a', 'b']`. */
export function modulePath(moduleAddress: string | undefined): string[] {
  const parts = configAddress(moduleAddress ?? '').split('.');
  return parts.filter((part, index) => index % 2 === 1 && part !== '');
}

/**
 * What a plan says of zones: which id stands for which zone, and whether a value that is known only after apply can come
 * from nothing but zones that lie in the throwaway zone. What it cannot prove, it does not grant: locals and functions
 * of other resources are not followed.
 */
export class ZoneIndex {
  private readonly names = new Map<string, Set<string>>();
  /** Names of the zones each zone resource or data source of the configuration stands for; undefined when unknown. */
  private readonly zones = new Map<string, (string | undefined)[]>();
  private readonly resources = new WeakMap<ConfigModule, Map<string, ConfigResource>>();
  private readonly root: ConfigModule;

  /** @param zone the throwaway zone as `readName` reads it. @param ownIds zone ids the caller vouches for. */
  constructor(
    plan: Plan,
    private readonly zone: string,
    ownIds: readonly string[] = [],
  ) {
    this.root = plan.configuration?.root_module ?? {};
    for (const { address, mode, type, change } of plan.resource_changes ?? []) {
      if (!zoneTypes.has(type)) continue;
      const side = change.after ?? change.before ?? {};
      this.learn(address, mode, side);
      if (change.before && change.after) this.learnId(change.before);
    }
    const state = plan.prior_state?.values?.root_module;
    if (state !== undefined) this.learnState(state);
    for (const id of ownIds) this.names.set(id, new Set([zone]));
  }

  /** The zone an id stands for, when the plan says so once and does not contradict itself. */
  zoneOf(id: string): string | undefined {
    const names = this.names.get(id);
    return names?.size === 1 ? [...names][0] : undefined;
  }

  /**
   * Whether an attribute that is known only after apply comes from zones in the throwaway zone and from nothing else.
   * @returns undefined when proved, else why not.
   */
  unproved(address: string, moduleAddress: string | undefined, attribute: string): string | undefined {
    const path = modulePath(moduleAddress);
    const own = configAddress(address)
      .split('.')
      .slice(2 * path.length)
      .join('.');
    const module = this.moduleAt(path);
    const resource = module && this.resourceIn(module, own);
    const references = referencesOf(resource?.expressions?.[attribute]);
    if (references === undefined || references.length === 0) return 'the configuration does not say what it comes from';
    return this.trace(path, references, resource, new Set());
  }

  private trace(
    path: readonly string[],
    references: readonly string[],
    resource: ConfigResource | undefined,
    seen: Set<string>,
  ): string | undefined {
    // OpenTofu lists `a.b.id`, `a.b`: the longest says it all.
    const longest = references.filter(
      (one) =>
        !references.some((other) => other !== one && /^[.[]/.test(other.slice(one.length)) && other.startsWith(one)),
    );
    for (const reference of longest) {
      const key = `${path.join('.')}|${reference}`;
      // A circle cannot come from OpenTofu; a forged plan must not hang the gate.
      if (seen.has(key)) continue;
      seen.add(key);
      const problem = this.traceOne(path, reference, resource, seen);
      if (problem !== undefined) return problem;
    }
    return undefined;
  }

  private traceOne(
    path: readonly string[],
    reference: string,
    resource: ConfigResource | undefined,
    seen: Set<string>,
  ): string | undefined {
    const parts = configAddress(reference).split('.');
    const [head = '', second = '', third = ''] = parts;
    if (head === 'count' || (head === 'each' && second === 'key')) return undefined;
    if (head === 'each')
      return this.follow(path, resource?.for_each_expression?.references, reference, undefined, seen);
    if (head === 'var') {
      const call = this.moduleAt(path.slice(0, -1))?.module_calls?.[path.at(-1) ?? ''];
      const passed = path.length === 0 ? undefined : referencesOf(call?.expressions?.[second]);
      // Inside the call, each.value is what the module call iterates over.
      const iterated = call?.for_each_expression;
      const caller: ConfigResource = { address: 'module', ...(iterated ? { for_each_expression: iterated } : {}) };
      return this.follow(path.slice(0, -1), passed, reference, caller, seen);
    }
    if (head === 'module') {
      const output = this.moduleAt([...path, second])?.outputs?.[third]?.expression?.references;
      return this.follow([...path, second], output, reference, undefined, seen);
    }
    return this.judgeZone(path, parts, reference);
  }

  private follow(
    path: readonly string[],
    references: readonly string[] | undefined,
    reference: string,
    resource: ConfigResource | undefined,
    seen: Set<string>,
  ): string | undefined {
    if (references === undefined || references.length === 0)
      return `it comes from ${reference}, which cannot be followed`;
    return this.trace(path, references, resource, seen);
  }

  private judgeZone(path: readonly string[], parts: readonly string[], reference: string): string | undefined {
    const data = parts[0] === 'data';
    const [type = '', name = '', attribute] = data ? parts.slice(1) : parts;
    const identifies = attribute === undefined || ['id', 'zone_id', 'name', 'zone'].includes(attribute);
    if (!zoneTypes.has(type) || !identifies) return `it comes from ${reference}, which is not a zone's id or name`;
    const address = [...path.flatMap((one) => ['module', one]), ...(data ? ['data'] : []), type, name].join('.');
    const zones = this.zones.get(address);
    if (zones === undefined || zones.length === 0) return `it comes from ${reference}, which the plan does not hold`;
    const outside = zones.find((zone) => zone === undefined || !within(zone, this.zone));
    if (zones.includes(undefined)) return `it comes from ${reference}, whose name is known only after apply`;
    return outside === undefined ? undefined : `it comes from ${reference}, which is zone ${outside}`;
  }

  private learn(address: string, mode: string, values: Record<string, unknown>): void {
    const known = this.learnId(values);
    const key = configAddress(address);
    // A data source is read from the provider as what it asked for; both kinds are indexed by their address.
    const list = this.zones.get(key) ?? [];
    list.push(known);
    this.zones.set(key, list);
    if (mode === 'data') this.learnList(values);
  }

  private learnId(values: Record<string, unknown>): string | undefined {
    const name = zoneName(values);
    for (const id of [values['id'], values['zone_id']]) {
      if (name === undefined || typeof id !== 'string' || id === '') continue;
      this.names.set(id, (this.names.get(id) ?? new Set()).add(name));
    }
    return name;
  }

  /** `data.cloudflare_zones` lists zones under `result` (5) or `zones` (4). */
  private learnList(values: Record<string, unknown>): void {
    for (const list of [values['result'], values['zones']]) {
      if (!Array.isArray(list)) continue;
      for (const entry of list) if (isRecord(entry)) this.learnId(entry);
    }
  }

  private learnState(module: StateModule): void {
    for (const { address, mode, type, values } of module.resources ?? []) {
      if (!values) continue;
      if (mode === 'data' && zoneTypes.has(type)) this.learn(address, mode, values);
      else if (zoneTypes.has(type)) this.learnId(values);
      else if (type === 'cloudflare_zones') this.learnList(values);
    }
    for (const child of module.child_modules ?? []) this.learnState(child);
  }

  private moduleAt(path: readonly string[]): ConfigModule | undefined {
    let module: ConfigModule | undefined = this.root;
    for (const name of path) module = module?.module_calls?.[name]?.module;
    return module;
  }

  private resourceIn(module: ConfigModule, address: string): ConfigResource | undefined {
    let known = this.resources.get(module);
    if (known === undefined) {
      known = new Map((module.resources ?? []).map((resource) => [resource.address, resource]));
      this.resources.set(module, known);
    }
    return known.get(address);
  }
}

/** A zone's name as the providers' versions spell the attribute, in the form of `readName`. */
function zoneName(values: Record<string, unknown>): string | undefined {
  for (const text of [values['name'], values['zone']]) {
    if (typeof text !== 'string' || text === '') continue;
    const reading = readName(text);
    return reading.readable && reading.ascii !== '' ? reading.ascii : undefined;
  }
  return undefined;
}
