import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { run } from '../command';
import { OperatorError, reason } from '../failure';
import { parsePlan, readPlan, type Plan } from '../gates/plan-document';
import { changeClasses, defaultRules, matches, parseRules, rulesFile, type ChangeClass, type Rules } from './rules';
import { parseWaivers, waiversFile, type Waiver } from './waivers';

/** Which change is judged. */
export interface Asked {
  /** A git checkout. */
  repo: string;
  base: string;
  /** Default: HEAD. */
  head?: string;
  /** Files with `tofu show -json`, beside those in the change itself. */
  plans?: readonly string[];
}

/** A change as git and its plans tell it. */
export interface Change {
  repo: string;
  base: string;
  head: string;
  /** The hash of head's content. */
  tree: string;
  /** Changed paths; of a renamed file both names. */
  paths: string[];
  rules: Rules;
  /** Where the rules come from. */
  rulesFrom: string;
  waivers: Waiver[];
  /** Classes with the paths and resources that made the change one of them. */
  classes: Map<ChangeClass, string[]>;
  /** Paths and resource types that belong to no class. */
  unclassed: string[];
  /** How many commits of base the change does not contain. */
  behind: number;
  notes: string[];
}

/**
 * Reads a change. Its rules and waivers are those of its base: a change cannot rewrite what it is judged by.
 * @throws OperatorError (exit code 2) when git cannot tell: no repository, unknown revision, too shallow a clone, no difference.
 */
export async function readChange(asked: Asked): Promise<Change> {
  const repo = resolve(asked.repo);
  const git = new Git(repo);
  const { head, base, tree } = await git.ends(asked.head ?? 'HEAD', asked.base);
  const [paths, missing, own, waiverText] = await Promise.all([
    git.changed(base, head),
    git.text('rev-list', '--count', `${head}..${base}`),
    git.file(base, rulesFile),
    git.file(base, waiversFile),
  ]);
  const behind = Number(missing);
  if (paths.length === 0) {
    throw unclear(
      repo,
      `no difference between ${asked.base} and ${asked.head ?? 'HEAD'}`,
      'name the revisions between which the change lies.',
    );
  }
  const rulesFrom = own === undefined ? 'the default rules' : `${rulesFile} of the base`;
  const rules = own === undefined ? defaultRules() : parseRules(own, `${rulesFile} at ${base.slice(0, 12)}`);
  const waivers = waiverText === undefined ? [] : parseWaivers(waiverText, `${waiversFile} at ${base.slice(0, 12)}`);
  const notes = [rulesFile, waiversFile]
    .filter((file) => paths.includes(file))
    .map((file) => `The change rewrites ${file}; it is judged by that of its base.`);
  const classes = new Map<ChangeClass, string[]>();
  const unclassed: string[] = [];
  const sort = (what: string, of: (one: NonNullable<Rules['classes'][ChangeClass]>) => readonly string[]): void => {
    const its = changeClasses.filter((name) => matches(what, rules.classes[name] ? of(rules.classes[name]) : []));
    // The narrower classes say more than infra, which is every playbook.
    const narrow = its.length > 1 ? its.filter((name) => name !== 'infra') : its;
    for (const name of narrow) classes.set(name, [...(classes.get(name) ?? []), what]);
    if (its.length === 0) unclassed.push(what);
  };
  const counted = paths.filter((path) => !matches(path, rules.ignore));
  for (const path of counted) sort(path, (one) => one.paths);
  for (const plan of await plansOf(git, head, paths, asked.plans ?? [])) {
    for (const type of changedTypes(plan)) sort(type, (one) => one.resources);
  }
  return { repo, base, head, tree, paths, rules, rulesFrom, waivers, classes, unclassed, behind, notes };
}

/** Plans that the change holds (a changed plan.json) or that were named. */
async function plansOf(git: Git, head: string, paths: readonly string[], named: readonly string[]): Promise<Plan[]> {
  const plans: Plan[] = [];
  for (const path of paths.filter((one) => /(^|\/)plan\.json$/.test(one))) {
    const text = await git.file(head, path);
    if (text !== undefined) plans.push(parsePlan(text, `${path} at ${head.slice(0, 12)}`));
  }
  for (const file of named) plans.push(await readPlan(file));
  return plans;
}

/** Types of the resources that a plan does not leave as they are. */
function changedTypes({ resource_changes: changes = [] }: Plan): string[] {
  const touched = changes.filter(({ change }) =>
    change.actions.some((action) => action !== 'no-op' && action !== 'read'),
  );
  return [...new Set(touched.map(({ type }) => type))];
}

const mend = 'mend the checkout.';

/** Git, asked about one checkout. Nothing is written and nothing fetched. */
export class Git {
  constructor(readonly repo: string) {}

  async text(...args: string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await this.ask(args);
    if (exitCode !== 0) throw unclear(this.repo, stderr.trim() || `git ${args[0] ?? ''} ended with ${exitCode}`, mend);
    return stdout.trimEnd();
  }

  private async assertRepository(): Promise<void> {
    if (existsSync(this.repo) && (await this.ask(['rev-parse', '--git-dir'])).exitCode === 0) return;
    throw unclear(this.repo, 'it is no git checkout', 'name one with --repo.');
  }

  /** The commits that two revisions name, and the hash of the first one's content. */
  async ends(head: string, base: string): Promise<Record<'head' | 'base' | 'tree', string>> {
    const asked = [`${head}^{commit}`, `${base}^{commit}`, `${head}^{tree}`];
    // By the standard input no name can be an option; a line end in one would be two questions.
    const broken = [head, base].find((name) => name.includes('\n'));
    const { exitCode, stdout } = await this.ask(['cat-file', '--batch-check=%(objectname)'], asked.join('\n'));
    const [headId = '', baseId = '', tree = ''] = stdout.split('\n');
    const known = (id: string): boolean => /^[0-9a-f]{40,64}$/.test(id);
    if (exitCode === 0 && broken === undefined && known(headId) && known(baseId) && known(tree)) {
      return { head: headId, base: baseId, tree };
    }
    await this.assertRepository();
    throw unclear(
      this.repo,
      `${broken ?? (known(headId) ? base : head)} is no revision here${await this.shallowness()}`,
      'name a branch, tag or commit that is there (git fetch brings it).',
    );
  }

  /** The paths that changed since a change left its base; of a renamed file both names. */
  async changed(base: string, head: string): Promise<string[]> {
    const names = ['diff', '--name-only', '--no-renames', '-z'];
    const { exitCode, stdout, stderr } = await this.ask([...names, `${base}...${head}`]);
    if (exitCode === 0) return stdout.split('\0').filter(Boolean);
    if ((await this.ask(['merge-base', base, head])).exitCode === 0) throw unclear(this.repo, stderr.trim(), mend);
    throw unclear(
      this.repo,
      `base and head have no commit in common${await this.shallowness()}`,
      'run `git fetch --unshallow` (in CI: check out with fetch-depth 0), and judge again.',
    );
  }

  /** A file's text at a commit; undefined when it has none. */
  async file(commit: string, path: string): Promise<string | undefined> {
    const { exitCode, stdout } = await this.ask(['show', `${commit}:${path}`]);
    return exitCode === 0 ? stdout : undefined;
  }

  private async shallowness(): Promise<string> {
    const { stdout } = await this.ask(['rev-parse', '--is-shallow-repository']);
    return stdout.trim() === 'true' ? ': the clone is shallow' : '';
  }

  private async ask(
    args: readonly string[],
    input?: string,
  ): Promise<{ exitCode: number; stdout: string; stderr: string }> {
    try {
      return await run('git', ['-C', this.repo, ...args], {
        allowFailure: true,
        ...(input === undefined ? {} : { input }),
      });
    } catch (thrown) {
      throw unclear(this.repo, reason(thrown), 'mend that, and judge again.');
    }
  }
}

function unclear(where: string, seen: string, next: string): OperatorError {
  return new OperatorError({ attempted: 'read the change', where, seen, next, exitCode: 2 });
}
