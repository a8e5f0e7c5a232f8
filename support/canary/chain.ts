import { AwaitTimeout, eventually } from '../eventually';
import { reason } from '../failure';
import { describe, worst, type Finding } from '../finding';
import type { Inventory } from '../inventory';
import { ProductError, isTransportError } from '../product-error';
import type { CanaryContext, ChainResult, Link, LinkOutcome } from './link';

export interface ChainOptions {
  signal?: AbortSignal;
  /** Sees every link as it ends, for progress. */
  onLink?: (outcome: LinkOutcome) => void;
}

/** Runs the links in order and stops at the first that does not hold. Never throws for a broken link. */
export async function runChain(
  links: readonly Link[],
  context: CanaryContext,
  options: ChainOptions = {},
): Promise<ChainResult> {
  const began = performance.now();
  const outcomes: LinkOutcome[] = [];
  let broken: LinkOutcome | undefined;
  for (const link of links) {
    options.signal?.throwIfAborted();
    const outcome: LinkOutcome = broken
      ? { name: link.name, title: link.title, status: 'not reached', seconds: 0, findings: [] }
      : await runLink(link, context, options.signal);
    outcomes.push(outcome);
    if (outcome.status !== 'not reached') options.onLink?.(outcome);
    if (outcome.status === 'broken') broken = outcome;
  }
  return {
    instance: context.names.instance,
    seconds: secondsSince(began),
    links: outcomes,
    ...(broken === undefined ? {} : { brokenAt: broken.name, likelyCause: likelyCause(broken.findings) }),
  };
}

async function runLink(link: Link, context: CanaryContext, signal?: AbortSignal): Promise<LinkOutcome> {
  const began = performance.now();
  const findings = await observe(link, context, signal);
  const status = worst(findings) === 'met' ? 'holds' : 'broken';
  return { name: link.name, title: link.title, status, seconds: secondsSince(began), findings };
}

async function observe(link: Link, context: CanaryContext, signal?: AbortSignal): Promise<Finding[]> {
  try {
    await link.act?.(context);
  } catch (thrown) {
    return [refusal(`making of link ${link.name}`, thrown, context.systems.inventory)];
  }
  if (link.budget === undefined) {
    try {
      return await link.check(context);
    } catch (thrown) {
      return [refusal(`check of link ${link.name}`, thrown, context.systems.inventory)];
    }
  }
  return settled(link, context, link.budget, signal);
}

/** Repeats the check until every finding is met, one of them failed for good, or the budget is used up. */
async function settled(
  link: Link,
  context: CanaryContext,
  budget: NonNullable<Link['budget']>,
  signal?: AbortSignal,
): Promise<Finding[]> {
  let seen: Finding[] = [];
  const probe = async (): Promise<Finding> => {
    seen = await link.check(context);
    return decisive(seen);
  };
  try {
    await eventually(`link ${link.name} of ${context.names.instance} holds`, probe, budget, signal ? { signal } : {});
    return seen;
  } catch (thrown) {
    if (!(thrown instanceof AwaitTimeout)) throw thrown;
    return worst(seen) === 'met' || seen.length === 0 ? [thrown.finding] : seen;
  }
}

/** The finding that decides a wait: a definite failure, else the first that is not met, else any. */
export function decisive(findings: readonly Finding[]): Finding {
  const open = findings.filter((finding) => finding.status !== 'met');
  const found = open.find((finding) => finding.final) ?? open[0] ?? findings[0];
  return (
    found ?? {
      subject: 'the link',
      status: 'unknown',
      expected: 'at least one finding',
      actual: 'none',
      source: 'the check',
    }
  );
}

/** What a refused act or check tells: a product's verdict is unmet, a failed transport or a defect is unknown. */
export function refusal(subject: string, thrown: unknown, inventory: Inventory): Finding {
  if (thrown instanceof ProductError) {
    return {
      subject,
      status: 'unmet',
      final: true,
      expected: `${thrown.request} to succeed`,
      actual: thrown.answer,
      source: `${thrown.product} (${thrown.code})`,
      hint: thrown.message,
    };
  }
  const unknown: Finding = {
    subject,
    status: 'unknown',
    expected: 'an answer',
    actual: reason(thrown),
    source: 'the suite',
  };
  if (!isTransportError(thrown)) return unknown;
  const silent = silentEndpoint(reason(thrown), inventory);
  const hint = silent === undefined ? {} : { hint: `${silent} does not answer: is its service running?` };
  return { ...unknown, source: 'the network', ...hint };
}

/** The inventory's endpoint that a transport error is about, as "pgbouncer (10.77.0.202:6432)". */
function silentEndpoint(message: string, { endpoints }: Inventory): string | undefined {
  for (const [name, endpoint] of Object.entries(endpoints)) {
    const address = endpoint.includes('://') ? new URL(endpoint).host : endpoint;
    if (message.includes(address)) return `${name} (${address})`;
  }
  return undefined;
}

/** The likely cause out of a broken link's findings: the first hint of a finding that is not met, else that finding. */
export function likelyCause(findings: readonly Finding[]): string {
  const deciding = decisive(findings);
  return (
    deciding.hint ?? findings.find((finding) => finding.status !== 'met' && finding.hint)?.hint ?? describe(deciding)
  );
}

function secondsSince(began: number): number {
  return Math.round(performance.now() - began) / 1000;
}
