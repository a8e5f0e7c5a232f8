import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { Rehearsal } from './rehearsal';
import { rulesFile } from './rules';
import { waiversFile } from './waivers';

/** Puts a waiver on the branch that is checked out: on main before the change begins, on the change afterwards. */
export async function waive(rehearsal: Rehearsal, requirement: string, until: string): Promise<Rehearsal> {
  const expires = until === 'tomorrow' ? new Date(Date.now() + 86_400_000).toISOString().slice(0, 10) : until;
  const waiver = {
    requirement,
    reason: 'The machines are on their way back from repair',
    approver: 'gabriel',
    expires,
  };
  const begun = (await rehearsal.git('rev-parse', 'main')) !== (await rehearsal.git('rev-parse', 'HEAD'));
  if (!begun) await rehearsal.git('checkout', '--quiet', 'main');
  await rehearsal.commit(`Waive ${requirement}`, { [waiversFile]: stringify({ waivers: [waiver] }) });
  if (!begun) await rehearsal.git('checkout', '--quiet', '-B', 'change');
  return rehearsal;
}

/** The branch's own rules know its files and ask for nothing that is hard to have. */
export async function withoutRules(rehearsal: Rehearsal): Promise<void> {
  const rules = "version: 1\nignore: ['**']\nclasses: {}\n";
  await rehearsal.commit('Ask for nothing', { [rulesFile]: rules });
}

/** Writes a plan as `tofu show -json` does, in which one resource is created. @returns its file. */
export function planOf({ folder }: Rehearsal, type: string): string {
  const change = { actions: ['create'], before: null, after: {}, after_unknown: {} };
  const resource = {
    address: `${type}.one`,
    mode: 'managed',
    type,
    name: 'one',
    provider_name: 'registry.opentofu.org/x/y',
    change,
  };
  const file = join(folder, 'plan.json');
  writeFileSync(file, JSON.stringify({ format_version: '1.2', resource_changes: [resource] }));
  return file;
}

/** A change that survived everything, by a runbook that is not in its repository. */
export async function outsideRunbook(folder: string, path: string): Promise<Rehearsal> {
  const rehearsal = await new Rehearsal(folder, 'outside').begin();
  await rehearsal.commit(`Change ${path}`, { [path]: '# changed\n' });
  await rehearsal.survive();
  return rehearsal;
}
