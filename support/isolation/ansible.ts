import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { run } from '../command';
import { projectRoot } from '../paths';
import { judgeInventory } from './documents';
import { currentJudge } from './policy';
import type { Verdict } from './verdict';

/** The callback plugin that aborts plays on production; it lies here whatever FACTORY is. */
const pluginFolder = join(projectRoot, 'sandbox', 'factory', 'ansible', 'plugins', 'callback');

/**
 * The variables that put the guard in front of every play and ad-hoc command of any playbook, the operator's own factory
 * included. They take precedence over ansible.cfg, so its own callback folders are kept.
 * @param config the ansible.cfg in use.
 */
export function ansibleGuardEnvironment(config?: string): Record<string, string> {
  return {
    ANSIBLE_CALLBACK_PLUGINS: [...new Set([pluginFolder, ...callbackFolders(config)])].join(':'),
    ANSIBLE_LOAD_CALLBACK_PLUGINS: 'True',
  };
}

function callbackFolders(config: string | undefined): string[] {
  if (config === undefined) return [];
  try {
    const folders = /^\s*callback_plugins\s*=\s*(.+?)\s*$/m.exec(readFileSync(config, 'utf8'))?.[1];
    return folders === undefined ? [] : folders.split(':').map((folder) => resolve(dirname(config), folder));
  } catch {
    return []; // Without a configuration file there are no folders of its own.
  }
}

/**
 * Judges an inventory as Ansible itself reads it: plugins, scripts and group variables included. Contacts no host.
 * Templates stay unrendered in what `ansible-inventory` prints: those are judged by the plugin when a play starts.
 * @param bin the folder of the Ansible commands.
 * @throws OperatorError when Ansible cannot read it, or the boundary refuses it as it stands.
 */
export async function judgeRenderedInventory(
  bin: string,
  inventory: string,
  env: Record<string, string> = {},
): Promise<Verdict> {
  const listed = await run(join(bin, 'ansible-inventory'), ['-i', inventory, '--list', '--export'], { env });
  return judgeInventory(currentJudge(), listed.stdout, inventory);
}
