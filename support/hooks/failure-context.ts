import { After, Status, type ITestCaseHookParameter } from '@cucumber/cucumber';
import { collectFailureContext } from '../evidence/failure-context';
import type { SandboxWorld } from '../world';

After(
  { name: 'collect what happened around the failure', timeout: 60_000 },
  async function (this: SandboxWorld, { result }: ITestCaseHookParameter) {
    if (result?.status !== Status.FAILED) return;
    const pieces = await collectFailureContext(async (stage) => (await this.target.ready(stage)).status === 'met');
    for (const piece of pieces) await this.show(piece.title, piece.text);
  },
);
