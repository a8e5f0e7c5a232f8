import { Command, InvalidArgumentError } from 'commander';
import { registerSandboxSecrets } from '../../evidence/known-secrets';
import { redactor } from '../../evidence/redaction';
import { readCommandLine, runMainAndExit } from '../../command-line';
import { reason } from '../../failure';
import { interrupt, isInterrupted } from '../../interruption';
import { assertMayAct } from '../../target/start';
import { connectSystems } from '../../systems';
import { readSecrets } from '../credentials';
import type { Mirrored } from '../documents/mirror';
import { bearsProductionsId, priceOfFidelity } from '../fidelity';
import { sandbox } from '../instances';
import { recordReset } from './evidence';
import { halfReset, readMarker } from './marker';
import { resetSandbox } from './reset';
import { stopBudgetMs } from './workload';

const examples = `
Examples:
  npm run reset                          back to the newest golden, or to that of a reset that did not end
  npm run reset -- --from NAME           to another one of \`npm run erp -- goldens\`
  npm run reset -- --high-fidelity       with production's DOLI_INSTANCE_UNIQUE_ID
  npm run reset -- --documents           also production's documents/, which is only read
  npm run reset -- --status              in what state the sandbox is

${priceOfFidelity}

Only ${sandbox.host} and its database can be reset: no option, variable or file can name another.
Exit code: 0 the sandbox is the golden and serves, 1 it is not (the sentence says in what state it is), 2 wrong arguments,
3 refused by the guard, 130 interrupted.`;

function wholeSeconds(text: string): number {
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new InvalidArgumentError('Expected whole seconds, from 1 to 9999');
  return Number(text);
}

async function main(): Promise<number> {
  const command = new Command('npm run reset --')
    .description('Brings the ERP’s sandbox back to a golden copy of production, and production cannot notice.')
    .option('--from <golden>', 'the golden to go back to (default: that of a reset that did not end, else the newest)')
    .option(
      '--high-fidelity',
      'also copy what production’s secrets are encrypted under; see below what it costs',
      false,
    )
    .option('--documents', 'also make documents/ the same as production’s, which is only read', false)
    .option('--stop-within <seconds>', 'how long the ERP’s pods may take to stop', wholeSeconds, stopBudgetMs / 1000)
    .option('--status', 'only say in what state the sandbox is', false)
    .addHelpText('after', examples)
    .configureOutput({ writeErr: () => undefined })
    .exitOverride();
  if (!readCommandLine('reset', () => void command.parse())) return 0;
  const options = command.opts<{
    from?: string;
    highFidelity: boolean;
    documents: boolean;
    stopWithin: number;
    status: boolean;
  }>();
  await assertMayAct();
  registerSandboxSecrets(redactor);
  const systems = connectSystems();
  if (options.status) {
    const marker = await readMarker(systems);
    if (bearsProductionsId(await readSecrets(systems.vault, sandbox.instance))) {
      console.log('in high fidelity: it bears production’s DOLI_INSTANCE_UNIQUE_ID');
    }
    console.log(statusLine(marker === undefined ? undefined : { ...marker, half: halfReset.includes(marker.state) }));
    return marker === undefined ? 0 : 1;
  }
  process.once('SIGINT', () => interrupt(new Error('interrupted')));
  process.once('SIGTERM', () => interrupt(new Error('interrupted')));
  if (options.highFidelity) console.log(priceOfFidelity);
  const began = new Date();
  const result = await resetSandbox(systems, {
    ...(options.from === undefined ? {} : { from: options.from }),
    highFidelity: options.highFidelity,
    documents: options.documents,
    stopWithinMs: options.stopWithin * 1000,
    say: (line) => console.log(`${new Date().toISOString().slice(11, 19)} ${line}`),
  }).catch(async (thrown: unknown) => {
    await keep({ failed: reason(thrown) }, began);
    if (!isInterrupted()) throw thrown;
    console.error(reason(thrown));
    return undefined;
  });
  if (result === undefined) return 130;
  await keep(result, began);
  const seconds = Object.entries(result.seconds).map(([step, time]) => `${step} ${time.toFixed(1)} s`);
  console.log(
    `golden ${result.golden}, content ${result.restored.total.slice(0, 12)}, with the overlay ${result.final.total.slice(0, 12)}`,
  );
  console.log(`as ${result.user}: ${seconds.join(', ')}`);
  console.log(`the sandbox is the golden, and serves; ${documentsSentence(result.documents)}`);
  return 0;
}

/** What became of `documents/`. */
function documentsSentence(done: Mirrored | undefined): string {
  if (done === undefined) return 'documents/ is as it was: it was not asked for (--documents)';
  return `documents/ is production's, ${done.files} files (${done.add} added, ${done.change} changed, ${done.remove} removed)`;
}

/** The reset itself stands, whether or not it can be kept. */
async function keep(outcome: Parameters<typeof recordReset>[0], began: Date): Promise<void> {
  await recordReset(outcome, began).then(
    ({ id }) => console.log(`ledger: ${id}`),
    (thrown: unknown) => console.error(`The reset stands, but is not in the ledger. ${reason(thrown)}`),
  );
}

function statusLine(marker: { state: string; golden: string; since: string; half: boolean } | undefined): string {
  if (marker === undefined) return 'no reset is under way: the sandbox is whole';
  const state = marker.half
    ? 'half-reset: its data are incomplete and it is stopped'
    : 'stopped for a reset, its data are whole';
  return `${state} (at "${marker.state}" since ${marker.since}, golden ${marker.golden}). Go on with \`npm run reset\`.`;
}

runMainAndExit(main);
