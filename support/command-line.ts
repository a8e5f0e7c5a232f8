import { CommanderError, type Command } from 'commander';
import { OperatorError, runMain } from './failure';

/**
 * Parses the command line of `npm run SCRIPT`.
 * @param parse has commander read it, with `exitOverride` set.
 * @returns false when only help was asked for and has been printed.
 * @throws OperatorError (exit code 2) for arguments that are wrong.
 */
export function readCommandLine(script: string, parse: () => void): boolean {
  try {
    parse();
    return true;
  } catch (thrown) {
    return ended(script, thrown);
  }
}

/** As `readCommandLine`, for a program whose commands act while it parses. */
export async function runCommandLine(script: string, parse: () => Promise<unknown>): Promise<boolean> {
  try {
    await parse();
    return true;
  } catch (thrown) {
    return ended(script, thrown);
  }
}

/** What commander threw because of `exitOverride`: false for help that was asked for. @throws what else it was. */
function ended(script: string, thrown: unknown): false {
  if (!(thrown instanceof CommanderError)) throw thrown;
  if (thrown.exitCode === 0) return false;
  // Without a command commander prints the help, and has no sentence of its own.
  const seen = thrown.code === 'commander.help' ? 'no command' : thrown.message.replace(/^error: /, '');
  throw new OperatorError({
    attempted: 'read the command line',
    seen,
    next: `see \`npm run ${script} -- --help\`.`,
    exitCode: 2,
  });
}

/**
 * Gives a program its examples and exit codes, and each of its commands those that are its own.
 * @param text lines as `  npm run gate -- plan --all`, and at the end what begins with `Exit code:`.
 */
export function explain(program: Command, text: string): void {
  program.addHelpText('after', text);
  const codes = text.slice(text.indexOf('Exit code:'));
  for (const command of program.commands) {
    const own = text.split('\n').filter((line) => `${line} `.includes(` -- ${command.name()} `));
    const shown = own.length > 0 ? own : [`  ${program.name()} ${command.name()}`];
    command.addHelpText('after', `\nExamples:\n${shown.join('\n')}\n\n${codes}`);
  }
}

/** As `runMain`, and ends the process: clients keep connections open for reuse, and nothing is left to do with them. */
export function runMainAndExit(main: () => Promise<number>): void {
  runMain(async () => {
    const code = await main();
    setImmediate(() => process.exit(code));
    return code;
  });
}
