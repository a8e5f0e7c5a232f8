import type { z } from 'zod';
import type { Finding } from '../support/finding';
import { connectSystems, type Systems } from '../support/systems';
import type { Capability, Target } from '../support/target';
import type { Contract } from './runbook/rules';

/** Kinds of change that a drill can vouch for. */
export type ChangeClass = 'infra' | 'vault' | 'storage' | 'dns' | 'postgres' | 'argocd' | 'pki' | 'app';

/** What a drill's functions may use. */
export interface DrillContext {
  readonly target: Target;
  /** Connected when used: the fault may lie in what connecting needs. */
  readonly systems: Systems;
  /** What one function found out for a later one of the same run. What injecting noted is in the journal: JSON, no secrets. */
  readonly notes: Map<string, unknown>;
  /** Keeps something in the journal, in words. */
  observe(name: string, text: string): void;
}

/**
 * A drill: what is broken, how it is noticed, which sections of the runbook repair it, and what whole means again. How it
 * is repaired stands in the runbook and in the playbooks it names, never here.
 */
export interface DrillDefinition<Memory = unknown> {
  /** In lower case with dashes: `vault-seal`. Also its tag: `@drill:vault-seal`. */
  id: string;
  /** What happens, as a sentence. */
  title: string;
  changeClasses: readonly ChangeClass[];
  capabilities: readonly Capability[];
  /** Slugs of the runbook's sections, in the order in which they are followed and stand in it. */
  sections: readonly string[];
  /** Shape of what `prepare` found. It goes to disk with the undo: no secrets. */
  memory: z.ZodType<Memory>;
  /** Looks up what injecting and undoing need to know. Changes nothing. */
  prepare(context: DrillContext): Promise<Memory>;
  inject(context: DrillContext, memory: Memory): Promise<void>;
  /** Met as soon as the fault can be noticed. */
  detect(context: DrillContext, memory: Memory): Promise<Finding>;
  /** Puts to use what was repaired, once, after the recovery: changes a secret, and proves that it reaches its pod. */
  exercise?: {
    act(context: DrillContext, memory: Memory): Promise<void>;
    proof(context: DrillContext, memory: Memory): Promise<Finding[]>;
  };
  /** What must hold, besides the common steady state, when the sandbox has recovered. */
  recovered(context: DrillContext, memory: Memory): Promise<Finding[]>;
  /** Brings the sandbox back without the runbook, for a drill that ended half-way. Succeeds also when there is nothing to do. */
  heal(context: DrillContext, memory: Memory): Promise<void>;
  /**
   * Takes away only what the drill itself added, in place of `heal`, when it is proven that the runbook brought everything back.
   * For a drill whose `heal` would take seconds to find nothing to do.
   */
  tidy?(context: DrillContext): Promise<void>;
  /** What the runbook's sections call by a variable: which node, which app. Shown to the operator as well. */
  variables?: Readonly<Record<string, string>>;
  /** How the drill acts out what the runbook asks of a person, by block id. */
  hands: Readonly<Record<string, (context: DrillContext) => Promise<void>>>;
  budgets: {
    /** Until the fault is noticed, in milliseconds. */
    detectionMs: number;
    /** From the injection to the recovery's proof, in milliseconds. */
    recoveryMs: number;
  };
}

/** Writes a definition with the type of its memory checked, and hands it over without. */
export function defineDrill<Memory>(definition: DrillDefinition<Memory>): DrillDefinition {
  const { memory, exercise, ...rest } = definition;
  return {
    ...rest,
    memory,
    ...(exercise === undefined
      ? {}
      : {
          exercise: {
            act: (context: DrillContext, known: unknown) => exercise.act(context, memory.parse(known)),
            proof: (context: DrillContext, known: unknown) => exercise.proof(context, memory.parse(known)),
          },
        }),
    inject: (context, known) => definition.inject(context, memory.parse(known)),
    detect: (context, known) => definition.detect(context, memory.parse(known)),
    recovered: (context, known) => definition.recovered(context, memory.parse(known)),
    heal: (context, known) => definition.heal(context, memory.parse(known)),
  };
}

/** For `detect`: met when what must hold is seen not to hold. One that could not be seen is not noticed either. */
export function noLonger(finding: Finding): Finding {
  const status = finding.status === 'unmet' ? 'met' : 'unmet';
  return { ...finding, expected: `not ${finding.expected}`, status, final: false };
}

/** A context for the functions of a definition. @param notes of a game day that is gone on with. */
export function drillContext(
  target: Target,
  observe: DrillContext['observe'] = () => undefined,
  notes: Readonly<Record<string, unknown>> = {},
): DrillContext {
  return {
    target,
    observe,
    notes: new Map(Object.entries(notes)),
    get systems() {
      return connectSystems(target.inventory);
    },
  };
}

/** What the definition asks of the runbook. */
export function contractOf({ id, sections, hands }: DrillDefinition): Contract {
  return { drill: id, sections, hands: Object.keys(hands) };
}
