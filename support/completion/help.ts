/** What one command can be completed with. */
export interface Completable {
  /** `suite`, or `lab power` for a command within one. */
  command: string;
  options: string[];
  /** Commands within it. */
  commands: string[];
  /** Words an argument or an option may have. */
  choices: string[];
}

/** Reads what commander prints for `--help`. A command that prints something else has the options it mentions. */
export function readHelp(command: string, text: string): Completable {
  const help = text.split(/^Examples:/m)[0] ?? '';
  const commands = sectionOf(help, 'Commands')
    .map((line) => /^ {2}([a-z][\w-]*)/.exec(line)?.[1])
    .filter((name) => name !== undefined && name !== 'help') as string[];
  const options = [...help.matchAll(/(?<=[\s,[])--[a-z][a-z-]*/g)].map(([option]) => option);
  const choices = [...help.matchAll(/\(choices: ([^)]*)\)/g)].flatMap(([, list = '']) =>
    [...list.matchAll(/"([^"]+)"/g)].map(([, word = '']) => word),
  );
  return { command, commands, options: [...new Set([...options, '--help'])].sort(), choices: [...new Set(choices)] };
}

function sectionOf(help: string, title: string): string[] {
  const lines = help.split('\n');
  const from = lines.indexOf(`${title}:`);
  if (from === -1) return [];
  const to = lines.findIndex((line, index) => index > from && line.trim() === '');
  return lines.slice(from + 1, to === -1 ? undefined : to);
}
