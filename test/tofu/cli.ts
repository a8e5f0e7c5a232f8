import { deepEqual } from 'node:assert/strict';
import { run } from '../../support/command';
import type { PlannedChange, TofuRoot } from '../../support/tofu/client';
import type { Rig } from './rig';

/** Runs OpenTofu in a root that is initialised already. */
export async function tofu(rig: Rig, root: TofuRoot, ...args: string[]): Promise<void> {
  await run(rig.binary, args, { cwd: root.directory, env: { TF_CLI_CONFIG_FILE: rig.configuration, ...root.env } });
}

/** Plans with a look at the real servers, applies, and sees that nothing is left. @returns what the plan said. */
export async function converge(rig: Rig, root: TofuRoot): Promise<PlannedChange[]> {
  const changes = await rig.tofu.plan(root, { out: 'converge.tfplan' });
  await tofu(rig, root, 'apply', '-input=false', '-no-color', 'converge.tfplan');
  deepEqual(await rig.tofu.plan(root), [], 'a second plan still changes something');
  return changes;
}
