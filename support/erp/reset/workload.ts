import { eventually } from '../../eventually';
import type { Finding } from '../../finding';
import type { Systems } from '../../systems';
import { connectErpReader } from '../client';
import { sandbox } from '../instances';

/** A pod gets 15 s to end by its chart; a stuck one must not hold up the operator. Milliseconds. */
export const stopBudgetMs = 60_000;

/**
 * Scales the sandbox's ERP to 0 and waits until no pod is left, whether it has ended or not.
 * @param withinMs how long it waits, in milliseconds.
 * @throws AwaitTimeout
 */
export async function stopErp({ kubernetes }: Systems, withinMs = stopBudgetMs): Promise<void> {
  await kubernetes.scaleDeployment(sandbox.instance, sandbox.instance, 0);
  const gone = async (): Promise<Finding> => {
    const pods = await kubernetes.pods(sandbox.instance);
    return {
      subject: `pods of ${sandbox.instance}`,
      status: pods.length === 0 ? 'met' : 'unmet',
      expected: 'none',
      actual:
        pods.map((pod) => `${pod.metadata?.name ?? ''} on ${pod.spec?.nodeName ?? 'no node'}`).join(', ') || 'none',
      source: `pods of ${sandbox.instance}`,
      hint: 'look why it does not end: `npm run lab -- kubectl -n erp-sandbox describe pods`; then reset again.',
    };
  };
  await eventually('the sandbox’s ERP has stopped', gone, { ms: withinMs }, { longestPauseMs: 250 });
}

/** Scales the sandbox's ERP to 1. */
export async function startErp({ kubernetes }: Systems): Promise<void> {
  await kubernetes.scaleDeployment(sandbox.instance, sandbox.instance, 1);
}

/** Waits until the sandbox's API answers to the agent's key. @throws AwaitTimeout */
export async function untilServing({ kubernetes }: Systems, key: string): Promise<void> {
  const serving = async (): Promise<Finding> => {
    const finding = {
      subject: `the API of ${sandbox.instance}`,
      expected: 'answers the agent',
      source: `GET ${sandbox.host}/api/index.php/status`,
    };
    const erp = await connectErpReader(kubernetes, sandbox, key);
    return { ...finding, status: 'met', actual: `Dolibarr ${await erp.status()}` };
  };
  await eventually('the sandbox’s API answers', serving, 'rollout', { longestPauseMs: 250 });
}
