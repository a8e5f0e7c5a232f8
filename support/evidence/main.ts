import { resolve } from 'node:path';
import { Command } from 'commander';
import { explain, readCommandLine } from '../command-line';
import { runMain } from '../failure';
import { exportChange } from './export';
import { ledgerFolder } from './ledger/place';
import type { Verification } from './ledger/verification';
import { verifyLedger } from './ledger/verify';
import { entryJson, showEntry, showList } from './show';
import { trendText } from './trend';

const examples = `
Examples:
  npm run evidence -- verify
  npm run evidence -- verify ./handed-over --signers ./allowed_signers
  npm run evidence -- verify --pinned 3fa9c1d2...   the last hash, written down earlier: nothing before it was rewritten
  npm run evidence -- show
  npm run evidence -- show 17
  npm run evidence -- trend vault-seal
  npm run evidence -- export ./change-42 --commit 8b1f0c2

The ledger lies in reports/ledger; EVIDENCE_LEDGER names another folder, EVIDENCE_SIGN_KEY the SSH key that new entries are
signed with. Nothing here needs a network or a lab.

Exit code: 0 whole, 1 broken, 2 cannot tell.`;

const collect = (value: string, before: string[]): string[] => [...before, value];

/** Reads the command line. @returns what to do, or undefined when help was printed. */
function parseArguments(argv: readonly string[]): (() => Promise<number> | number) | undefined {
  let chosen: (() => Promise<number> | number) | undefined;
  const program = new Command('npm run evidence --').description(
    'What runs left, and whether it is still what they left.',
  );
  program
    .command('verify')
    .description('reads the whole ledger, or an exported folder, and names the first entry that is broken')
    .argument('[folder]', 'default: the ledger')
    .option('--signers <file>', "allowed signers (ssh-keygen(1)), instead of the folder's own")
    .option('--pinned <hash>', 'a hash that must be in the chain')
    .option('--json', 'print the result as JSON')
    .action((folder: string | undefined, options: { signers?: string; pinned?: string; json?: boolean }) => {
      chosen = () => verify(resolve(folder ?? ledgerFolder()), options);
    });
  program
    .command('show')
    .description('the last entries, or one with everything it says')
    .argument('[id]', 'its number, its id, or the beginning of its hash')
    .option('--json', 'print the entry as JSON')
    .action((id: string | undefined, { json }: { json?: boolean }) => {
      chosen = () => {
        const folder = ledgerFolder();
        console.log(id === undefined ? showList(folder) : json ? entryJson(folder, id) : showEntry(folder, id));
        return 0;
      };
    });
  program
    .command('trend')
    .description('time to recover, per drill, over time')
    .argument('[drill]', 'default: every drill')
    .action((drill: string | undefined) => {
      chosen = () => {
        console.log(trendText(ledgerFolder(), drill));
        return 0;
      };
    });
  program
    .command('export')
    .description('a folder with everything about one change, for somebody who has nothing else')
    .argument('<folder>', 'new or empty')
    .option('--commit <hash>', 'entries made with this commit or content (repeatable)', collect, [])
    .option('--entry <id>', 'this entry (repeatable)', collect, [])
    .action((folder: string, options: { commit: string[]; entry: string[] }) => {
      chosen = async () => {
        const done = await exportChange(ledgerFolder(), resolve(folder), {
          ids: options.entry,
          commits: options.commit,
        });
        console.log(
          `${done.chosen} of ${done.entries} entries and ${done.files} files in ${done.folder}; read index.html there`,
        );
        return 0;
      };
    });
  explain(program, examples);
  program.exitOverride().configureOutput({ writeErr: () => undefined });
  for (const command of program.commands) command.exitOverride().configureOutput({ writeErr: () => undefined });
  const parse = (): void =>
    void (argv.length === 0 ? program.outputHelp() : program.parse([...argv], { from: 'user' }));
  if (!readCommandLine('evidence', parse)) return undefined;
  return chosen;
}

function verify(folder: string, options: { signers?: string; pinned?: string; json?: boolean }): number {
  const live = process.stderr.isTTY;
  const result = verifyLedger(folder, {
    ...(options.signers === undefined ? {} : { signers: resolve(options.signers) }),
    ...(options.pinned === undefined ? {} : { pinned: options.pinned }),
    progress: (done) => void (live && process.stderr.write(`\r${(done * 100).toFixed(0)} %`)),
  });
  if (live) process.stderr.write('\r\u001b[K');
  console.log(options.json === true ? JSON.stringify(result, null, 2) : verificationText(result));
  if (result.problem === undefined) return 0;
  return result.problem.damage === 'unknown version' ? 2 : 1;
}

function verificationText({
  folder,
  entries,
  withheld,
  attachments,
  signed,
  hash,
  problem,
  notes,
}: Verification): string {
  const about = [`${entries} entries`, `${attachments} attachments`, `${signed} signed`];
  if (withheld > 0) about.push(`${withheld} without their content`);
  const where = problem?.entry === 0 ? 'the ledger' : `entry ${problem?.entry ?? ''}`;
  const verdict =
    problem === undefined
      ? `WHOLE: ${about.join(', ')}; the last hash is ${hash}`
      : problem.damage === 'unknown version'
        ? `CANNOT TELL: entry ${problem.entry}: ${problem.detail}; the chain holds over ${about.join(', ')}`
        : `BROKEN at ${where}: ${problem.damage}: ${problem.detail}; before it ${about.join(', ')} are whole`;
  return [folder, ...notes.map((note) => `note: ${note}`), verdict].join('\n');
}

runMain(async () => parseArguments(process.argv.slice(2))?.() ?? 0);
