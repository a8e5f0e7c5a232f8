import Table from 'cli-table3';
import { runMain } from '../../support/failure';
import type { TofuRoot } from '../../support/tofu/client';
import { checks } from './checks';
import { startRig, type Rig } from './rig';

/**
 * `npx ts-node test/tofu/main.ts`: applies every OpenTofu root of the factory to real servers on 127.0.0.1 by the
 * stand-in providers, sees that a second plan changes nothing, and proves what came of it. Needs root and the forge's
 * components (tofu, vault and its plugins, fake-gcs-server, standins); touches nothing of a lab.
 */
async function main(): Promise<void> {
  const rig = await startRig();
  try {
    await measure(rig);
    for (const check of checks) {
      const began = performance.now();
      await check.run(rig);
      process.stdout.write(`${check.name}: holds (${seconds(performance.now() - began)} s)\n`);
    }
  } finally {
    await rig.stop();
  }
}

async function measure(rig: Rig): Promise<void> {
  const table = new Table({
    head: ['root', 'resources', 'init + apply, s', 'init + no-op plan, s'],
    style: { head: [] },
  });
  const pass = async (name: string, root: TofuRoot): Promise<void> => {
    const began = performance.now();
    const { changes } = await rig.tofu.apply(root, () => undefined);
    const applied = performance.now();
    const left = await rig.tofu.plan(root);
    if (left.length > 0)
      throw new Error(`${name} is not settled: ${left.map((one) => `${one.action} ${one.address}`).join(', ')}`);
    table.push([name, changes.length, seconds(applied - began), seconds(performance.now() - applied)]);
  };
  for (const { name, root } of rig.shared) await pass(name, root);
  const began = performance.now();
  // Every app has a state and a CI token of its own: two at a time keep two cores busy.
  const waiting = [...rig.apps];
  const worker = async (): Promise<void> => {
    for (let app = waiting.shift(); app !== undefined; app = waiting.shift()) await pass(app.name, await app.root());
  };
  await Promise.all([worker(), worker()]);
  process.stdout.write(`${table.toString()}\nall apps, two at a time: ${seconds(performance.now() - began)} s\n`);
}

function seconds(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(1);
}

if (require.main === module) runMain(main);
