import { Argument, Command } from 'commander';
import { configuredTargets, isConfigured, type ConfiguredTarget } from '../configuration/read';
import { runMainAndExit } from '../command-line';
import { registerSandboxSecrets } from '../evidence/known-secrets';
import { redactor } from '../evidence/redaction';
import { assertStartAllowed } from '../isolation/startup';
import { checkTarget } from './check/check';
import { showCheck } from './check/view';
import { writeStarting, type InitOptions } from './init/write';
import { selectTarget } from './select';
import type { PowerAction } from './target';

const codes = `
Exit code: 0 all of it answers, 1 something does not, 2 wrong arguments or configuration, 3 refused by the isolation boundary.`;

function examples(...lines: string[]): string {
  return `\nExamples:\n${lines.map((line) => `  ${line}`).join('\n')}\n${codes}`;
}

async function main(): Promise<number> {
  let code = 0;
  const program = new Command('npm run target --')
    .description(
      'The sandbox that TARGET names: embedded (the lab, default), vms or k3d (described by sandbox.config.yaml).',
    )
    .addHelpText(
      'after',
      examples('npm run target -- check', 'npm run target -- init vms', 'npm run target -- check --help'),
    )
    .exitOverride((end) => {
      throw end;
    });
  program
    .command('check')
    .description(
      'what of the target answers, how real it is and why, and which features can run on it; changes nothing',
    )
    .option('--json', 'for programs', false)
    .addHelpText(
      'after',
      examples(
        'npm run target -- check',
        'TARGET=vms npm run target -- check',
        'TARGET=k3d npm run target -- check --json',
      ),
    )
    .action(async ({ json }: { json: boolean }) => {
      await assertStartAllowed();
      const check = await checkTarget(selectTarget());
      registerSandboxSecrets(redactor);
      console.log(json ? JSON.stringify(redactor.value(check), null, 2) : redactor.text(showCheck(check)));
      code = check.good ? 0 : 1;
    });
  program
    .command('init')
    .description(
      'write a commented sandbox.config.yaml and its inventory, and print the commands that make the machines',
    )
    .addArgument(new Argument('<target>', 'which').choices(configuredTargets))
    .option('-o, --out <file>', 'where to write it', 'sandbox.config.yaml')
    .option('--force', 'replace files that are there', false)
    .option('--print', 'print it and write nothing', false)
    .option('--from-lab', 'describe the machines of the lab that is up here, as a stranger would', false)
    .addHelpText(
      'after',
      examples(
        'npm run target -- init vms',
        'npm run target -- init k3d --out ../k3d.yaml',
        'npm run target -- init vms --print',
        'npm run target -- init vms --from-lab --out /tmp/lab.yaml',
      ),
    )
    .action((target: string, options: InitOptions) => {
      console.log(writeStarting(configured(target), options));
    });
  program
    .command('power')
    .description('switch a machine of the target: on, off (services stop first) or cut (the plug is pulled)')
    .addArgument(new Argument('<how>', 'on, off or cut').choices(['on', 'off', 'cut']))
    .argument('<machine...>', 'names of the inventory')
    .addHelpText(
      'after',
      examples('TARGET=vms npm run target -- power cut pi3', 'TARGET=vms npm run target -- power on pi3'),
    )
    .action(async (how: PowerAction, machines: string[]) => {
      await assertStartAllowed();
      const target = selectTarget();
      await Promise.all(machines.map((machine) => target.power(machine, how)));
      console.log(`${machines.join(', ')}: ${how}.`);
    });
  try {
    await program.parseAsync(process.argv);
  } catch (thrown) {
    const ended = thrown as { code?: string; exitCode?: number };
    if (ended.code?.startsWith('commander.')) return ended.exitCode === 0 ? 0 : 2;
    throw thrown;
  }
  return code;
}

function configured(name: string): ConfiguredTarget {
  if (isConfigured(name)) return name;
  throw new Error(`${name} is no target with a configuration`);
}

runMainAndExit(main);
