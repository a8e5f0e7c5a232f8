import { eventually } from '../eventually';
import { reason } from '../failure';
import type { Finding } from '../finding';
import { shielded } from '../interruption';

/** Something to read beside a failure: events, a description, the end of a log. */
export interface ContextPiece {
  title: string;
  text: string;
}

/** A product's way to show what happened around a failure. Registered once, when the product's module is loaded. */
export interface FailureContext {
  /** The product: "Kubernetes", "Vault". */
  name: string;
  /** The stages without which there is nothing to ask. */
  needs: readonly string[];
  collect(): Promise<ContextPiece[]>;
}

/** One product may take this long, in milliseconds: the evidence must not cost more than the scenario did. */
const patienceMs = 15_000;

const contexts = new Map<string, FailureContext>();

/** Adds a product to those asked after a failure. */
export function registerFailureContext(context: FailureContext): void {
  contexts.set(context.name, context);
}

/**
 * Asks every product whose stages are ready, side by side. Never throws: a product that cannot answer says so in its place,
 * so that collecting never hides the failure it is collected for.
 */
export async function collectFailureContext(isReady: (stage: string) => Promise<boolean>): Promise<ContextPiece[]> {
  const pieces = await Promise.all(
    [...contexts.values()].map(async (context): Promise<ContextPiece[]> => {
      try {
        const ready = await Promise.all(context.needs.map(isReady));
        return ready.includes(false) ? [] : await inTime(context);
      } catch (thrown) {
        return [unanswered(context, thrown)];
      }
    }),
  );
  return pieces.flat();
}

async function inTime(context: FailureContext): Promise<ContextPiece[]> {
  let pieces: ContextPiece[] = [];
  const answer = { subject: context.name, expected: 'an answer', actual: 'an answer', source: context.name };
  const ask = async (): Promise<Finding> => {
    pieces = await context.collect().catch((thrown: unknown) => [unanswered(context, thrown)]);
    return { ...answer, status: 'met' };
  };
  await shielded(() => eventually(`${context.name} tells what happened`, ask, { ms: patienceMs }));
  return pieces;
}

function unanswered(context: FailureContext, thrown: unknown): ContextPiece {
  return { title: `${context.name}: could not be asked`, text: reason(thrown) };
}
