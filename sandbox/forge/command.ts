import Table from 'cli-table3';
import { Option, type Command } from 'commander';
import { OperatorError } from '../../support/failure';
import { progressReporter } from '../progress';
import { exportComponents, importComponents } from './archive';
import { ensureComponents } from './forge';
import { recipes, selectRecipes } from './recipes';
import { componentStates, type ComponentState } from './states';
import { architectures, forgeStore, hostArchitecture, type Architecture } from './store';

interface Flags {
  list?: boolean;
  export?: string;
  import?: string;
  arch: Architecture;
}

/** Adds `forge [component...]` to the lab's command line. */
export function registerForge(program: Command): void {
  program
    .command('forge')
    .description('build or verify the pinned components (all of a lab, or those named)')
    .argument('[component...]')
    .option('--list', 'show version, provenance, size, checksum and state; builds nothing')
    .addOption(
      new Option('--export <file>', 'write the verified components to FILE (.tar.zst, .tar.gz, .tar)').conflicts(
        'import',
      ),
    )
    .addOption(new Option('--import <file>', 'take over the components of FILE after verifying them').conflicts('list'))
    .addOption(
      new Option('--arch <arch>', 'build for this architecture').choices(architectures).default(hostArchitecture()),
    )
    .addHelpText(
      'after',
      '\nExamples:\n  npm run lab -- forge --list\n  npm run lab -- forge vault argocd\n  npm run lab -- forge --export components.tar.zst\n  npm run lab -- forge --import components.tar.zst',
    )
    .action(async (names: string[], flags: Flags) => {
      await forge(names.length === 0 ? 'all' : names, flags);
    });
}

async function forge(names: readonly string[] | 'all', flags: Flags): Promise<void> {
  const store = forgeStore(flags.arch);
  const onProgress = progressReporter(process.stderr);
  const chosen = flags.list === true && names === 'all' ? recipes : selectRecipes(names);
  if (flags.import !== undefined) {
    const { components } = await importComponents(flags.import, store);
    process.stdout.write(`imported ${components.join(', ')} into ${store.home}\n`);
    return;
  }
  if (flags.export !== undefined) {
    const { file, components } = await exportComponents(flags.export, names, store);
    process.stdout.write(`exported ${components.join(', ')} to ${file}\n`);
    return;
  }
  if (flags.list !== true) {
    const stop = new AbortController();
    const interrupt = (): void => stop.abort();
    process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
    try {
      await ensureComponents(names, { store, onProgress, thorough: true, signal: stop.signal });
    } catch (thrown) {
      if (stop.signal.aborted) throw interrupted(names);
      throw thrown;
    } finally {
      process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
    }
  }
  const states = await componentStates({ store, thorough: flags.list === true }, chosen);
  process.stdout.write(`${componentTable(states)}\n`);
}

function interrupted(names: readonly string[] | 'all'): OperatorError {
  return new OperatorError({
    attempted: 'build all components',
    seen: 'an interruption',
    next: `npm run lab -- forge ${names === 'all' ? '' : names.join(' ')}`.trim() + ' goes on where this run ended.',
    exitCode: 130,
  });
}

/** The table of `forge --list`. Sizes in MiB; a checksum is Go's module hash, or a local module's source hash, shortened. */
export function componentTable(states: readonly ComponentState[]): string {
  const table = new Table({
    head: ['component', 'version', 'provenance', 'MiB', 'checksum', 'state'],
    colAligns: ['left', 'left', 'left', 'right', 'left', 'left'],
    style: { head: [], border: [] },
  });
  for (const state of states) {
    table.push([
      state.name,
      state.version,
      state.provenance,
      (state.size / 2 ** 20).toFixed(0),
      `${state.checksum.slice(0, 19)}...`,
      state.why === undefined ? state.state : `${state.state}: ${state.why}`,
    ]);
  }
  return table.toString();
}
