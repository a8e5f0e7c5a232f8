import { text } from 'node:stream/consumers';
import Table from 'cli-table3';
import { Command } from 'commander';
import { explain } from '../support/command-line';
import { OperatorError, runMain } from '../support/failure';
import { type Verdict, judgeResolved, refusalExitCode } from '../support/isolation';
import { assertStartAllowed } from '../support/isolation/startup';

interface CheckOptions {
  json?: true;
  stdin?: true;
  scope?: 'erp-sandbox';
}

/** Judges every address and prints the verdicts. @returns 0 when all are permitted, 3 otherwise. */
async function check(addresses: readonly string[], options: CheckOptions): Promise<number> {
  const given = [
    ...addresses,
    ...(options.stdin ? (await text(process.stdin)).split('\n').filter((line) => line.trim() !== '') : []),
  ];
  if (given.length === 0) {
    throw new OperatorError({
      attempted: 'check addresses',
      expected: 'at least one address',
      seen: 'none',
      next: 'run `npm run guard -- check ADDRESS...`, or give one a line with --stdin.',
      exitCode: 2,
    });
  }
  const verdicts: Verdict[] = [];
  for (const address of given)
    verdicts.push(await judgeResolved(address, options.scope === undefined ? {} : { scope: options.scope }));
  process.stdout.write(options.json ? `${JSON.stringify(verdicts, null, 2)}\n` : `${asTable(verdicts)}\n`);
  return verdicts.every((verdict) => verdict.allowed) ? 0 : refusalExitCode;
}

function asTable(verdicts: readonly Verdict[]): string {
  const table = new Table({ head: ['address', 'verdict', 'kind', 'reason'], style: { head: [], border: [] } });
  for (const verdict of verdicts)
    table.push([
      verdict.subject,
      verdict.allowed ? 'allowed' : 'refused',
      verdict.allowed ? '' : verdict.kind,
      verdict.reason,
    ]);
  return table.toString();
}

const examples = `
Examples:
  npm run guard -- check 10.77.0.201 http://10.43.0.20:8200
  npm run guard -- check 0xc0a801c9 '[::ffff:192.168.1.202]:443' postgres://u@192.168.1.203/erp
  npm run guard -- check --scope erp-sandbox https://erp.arcodange.lab
  cut -d' ' -f1 addresses.txt | npm run --silent guard -- check --stdin --json
  npm run guard -- shell

Exit code: 0 everything is permitted, 3 something is refused, 2 the question is not understood.
Nothing is sent to any address. Names of the target are looked up, others are not.`;

async function main(): Promise<number> {
  let code = 0;
  const program = new Command('npm run guard --')
    .description(
      'says what the isolation boundary permits: the lab, its names and loopback; nothing else, and never production',
    )
    .exitOverride((end) => {
      throw end;
    });
  program
    .command('check')
    .description('judge addresses, hosts, URLs and connection strings')
    .argument('[address...]', 'in any spelling')
    .option('--stdin', 'read further addresses from standard input, one a line')
    .option('--json', 'print the verdicts as JSON')
    .option('--scope <scope>', 'confine to one instance: erp-sandbox', (value: string) => {
      if (value !== 'erp-sandbox')
        throw new OperatorError({
          attempted: 'check addresses',
          expected: 'the scope erp-sandbox',
          seen: value,
          next: 'use --scope erp-sandbox or leave it out.',
          exitCode: 2,
        });
      return value;
    })
    .action(async (addresses: string[], options: CheckOptions) => {
      code = await check(addresses, options);
    });
  program
    .command('shell')
    .description('judge this shell: real credentials, production addresses, and whether this machine is production')
    .action(async () => {
      await assertStartAllowed();
      process.stdout.write(
        'This shell is fit for the sandbox: no production credential and no production address in it.\n',
      );
    });
  explain(program, examples);
  try {
    await program.parseAsync(process.argv);
  } catch (thrown) {
    if (thrown instanceof OperatorError) throw thrown;
    const ended = thrown as { code?: string; exitCode?: number };
    if (ended.code?.startsWith('commander.')) return ended.exitCode === 0 ? 0 : 2;
    throw thrown;
  }
  return code;
}

runMain(main);
