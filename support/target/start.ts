import { assertStartAllowed } from '../isolation/startup';
import { proveOwnCluster } from './configured/proof';

/**
 * What every command proves before it acts on a target: that this shell is fit for it and, where an operator's file
 * describes the target, that the cluster that answers is that one.
 * @throws OperatorError (exit code 3) as `assertStartAllowed`, or when another cluster answers.
 */
export async function assertMayAct(): Promise<void> {
  await assertStartAllowed();
  await proveOwnCluster();
}
