import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { run } from '../command';
import { append, type Appended, type Unplaced } from '../evidence/ledger/append';
import type { LedgerPart, Source } from '../evidence/ledger/entry';
import { keep } from '../evidence/ledger/objects';
import { sourceOf } from '../evidence/ledger/sources';
import { sectionHashes } from '../evidence/sections';
import { readChange, type Asked } from './change';
import { judgeChange, type Judgement } from './judge';
import { defaultRules, defaultRulesFile, nameOf, type Requirement } from './rules';

const runbookText = `# Recovery

## Argo CD rollback

Pin the Application to the last good revision, then take automated sync back.

## Vault is sealed

Unseal with the sandbox's key shares.
`;

/** What a target with everything for real reports, and one more part that is always a stand-in. */
const realParts: LedgerPart[] = [
  ...[
    'machines',
    'vault',
    'secrets-operator',
    'argocd',
    'postgres',
    'pgbouncer',
    'tofu',
    'step-ca',
    'cert-manager',
    'longhorn',
  ],
].map((name) => ({ name, version: '1', provenance: 'upstream' }));
const parts: LedgerPart[] = [
  ...realParts,
  { name: 'kubernetes', version: 'v1.34.3', provenance: 'substitute', role: 'k3s' },
];

/** How a piece of evidence differs from good one. */
export interface Flaw {
  verdict?: 'red';
  /** Days ago; negative for days to come. */
  age?: number;
  /** Parts that are not what `realParts` says. */
  parts?: readonly LedgerPart[];
  target?: string;
  /** Only a part of a feature's scenarios ran. */
  partly?: boolean;
  skipped?: boolean;
  /** The entry has no attachment left on disk. */
  unattached?: boolean;
}

/**
 * A real git repository in the factory's layout and a real ledger of its own, in one folder: what the promotion gate is tried
 * on. Nothing of a target is touched. Evidence is written as the commands would write it, by name of a requirement.
 */
export class Rehearsal {
  readonly repo: string;
  readonly ledger: string;
  /** The runbook's path in the repository. */
  readonly runbook = 'doc/CLUSTER_RECOVERY.md';
  /** The runbook's file. */
  readonly runbookFile: string;
  /** Plans of the change, beside those in it. */
  plans: readonly string[] = [];

  /** @param runbook whether the repository has a runbook of its own, or its drills follow one elsewhere (RUNBOOK=...). */
  constructor(
    readonly folder: string,
    private readonly runbookIs: 'inside' | 'outside' = 'inside',
  ) {
    this.repo = join(folder, 'factory');
    this.ledger = join(folder, 'ledger');
    this.runbookFile = runbookIs === 'inside' ? join(this.repo, this.runbook) : join(folder, 'CLUSTER_RECOVERY.md');
  }

  /** Makes the repository with its first commit on main, and goes to the branch `change`; does nothing when it is there. */
  async begin(): Promise<this> {
    if (existsSync(this.repo)) return this;
    mkdirSync(this.repo, { recursive: true });
    await this.git('init', '--quiet', '--initial-branch=main');
    // The repository's own rules: the default ones, and its runbook when it has one.
    const rules = readFileSync(defaultRulesFile, 'utf8');
    const inside = this.runbookIs === 'inside';
    if (!inside) writeFileSync(this.runbookFile, runbookText);
    await this.commit('The factory', {
      'promotion.yml': inside ? rules.replace(/^# runbook: .*$/m, `runbook: ${this.runbook}`) : rules,
      ...(inside ? { [this.runbook]: runbookText } : {}),
      'argocd/values.yaml': 'gitea_applications: {}\n',
      'hashicorp-vault/iac/main.tf': '# policies\n',
      'ansible/site.yml': '[]\n',
      'README.md': '# Factory\n',
    });
    await this.git('checkout', '--quiet', '-b', 'change');
    return this;
  }

  /** Commits files (a text, or undefined to remove). @returns the commit. */
  async commit(message: string, files: Readonly<Record<string, string | undefined>>): Promise<string> {
    for (const [path, text] of Object.entries(files)) {
      const file = join(this.repo, path);
      mkdirSync(dirname(file), { recursive: true });
      if (text !== undefined) writeFileSync(file, text);
      else await this.git('rm', '--quiet', '--', path);
    }
    await this.git('add', '--all');
    await this.git('commit', '--quiet', '--message', message);
    return this.git('rev-parse', 'HEAD');
  }

  /** Git in the repository, with an author of its own. */
  async git(...args: string[]): Promise<string> {
    const who = { NAME: 'operator', EMAIL: 'operator@sandbox.invalid' };
    const env = Object.fromEntries(
      ['AUTHOR', 'COMMITTER'].flatMap((role) =>
        Object.entries(who).map(([key, value]) => [`GIT_${role}_${key}`, value]),
      ),
    );
    const { stdout } = await run('git', ['-C', this.repo, '-c', 'commit.gpgsign=false', ...args], {
      env: { ...env, GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null' },
    });
    return stdout.trim();
  }

  /** Everything that the change as it stands is asked for, as rules have it. */
  async requirements(): Promise<Requirement[]> {
    const { rules, classes } = await readChange(this.asked());
    return [...rules.always, ...[...classes.keys()].flatMap((name) => rules.classes[name]?.require ?? [])];
  }

  /** Writes evidence of one requirement, by its name in the table. */
  async evidence(name: string, flaw: Flaw = {}): Promise<Appended> {
    return this.write(name, flaw, await sourceOf('subject', this.repo));
  }

  private write(name: string, flaw: Flaw, source: Source): Appended {
    const [kind = '', ...rest] = name.split(' ');
    const subject = rest.join(' ');
    const ended = new Date(Date.now() - (flaw.age ?? 0) * 86_400_000);
    const other = flaw.parts ?? [];
    const own = parts.filter((part) => !other.some((one) => one.name === part.name));
    const text = `output of ${name}, ${ended.toISOString()}`;
    return append(this.ledger, {
      kind: kind === 'gate' ? 'gate' : kind === 'feature' ? 'suite' : 'drill',
      verdict: flaw.verdict ?? 'green',
      summary: `${name}: ${flaw.verdict ?? 'green'}`,
      began: new Date(ended.getTime() - 60_000).toISOString(),
      ended: ended.toISOString(),
      who: { user: 'operator', host: 'sandbox' },
      command: `npm run ${kind === 'feature' ? 'suite' : kind} -- ${subject}`,
      target: { name: flaw.target ?? 'vms', parts: [...own, ...other] },
      facts: flaw.partly ? {} : { scope: 'all' },
      sources: [source],
      attachments: keep(this.ledger, [{ name: 'output.txt', text }]),
      ...this.outcome(kind, subject, flaw),
    });
  }

  private outcome(kind: string, subject: string, flaw: Flaw): Pick<Unplaced, 'gates' | 'scenarios' | 'drills'> {
    const bad = flaw.verdict === 'red';
    if (kind === 'gate')
      return { gates: [{ gate: subject, subject: 'all', verdict: bad ? 'red' : 'green', seconds: 1 }] };
    if (kind === 'feature') {
      const last = flaw.skipped ? 'skipped' : bad ? 'failed' : 'passed';
      const names = { 'It holds': 'passed', 'It still holds': last } as const;
      return {
        scenarios: Object.entries(names).map(([name, verdict]) => ({ id: `${subject}#${name}`, verdict, seconds: 1 })),
      };
    }
    const sections = [...sectionHashes(readFileSync(this.runbookFile, 'utf8'))].map(([slug, sha256]) => ({
      slug,
      sha256,
    }));
    return { drills: [{ name: subject, verdict: bad ? 'failed' : 'survived', recoverySeconds: 42, sections }] };
  }

  /** Writes good evidence of everything the change is asked for, but for the requirements named. */
  async survive(...but: string[]): Promise<void> {
    for (const name of new Set((await this.requirements()).map(nameOf)))
      if (!but.includes(name)) await this.evidence(name);
  }

  asked(more: Partial<Asked> = {}): Asked {
    return { repo: this.repo, base: 'main', plans: this.plans, ...more };
  }

  async judge(more: Partial<Asked> = {}, options: { target?: string } = {}): Promise<Judgement> {
    return judgeChange(await readChange(this.asked(more)), {
      ledger: this.ledger,
      runbook: this.runbookFile,
      ...options,
    });
  }
}

/** A change of Argo CD's that survived everything it is asked for: what must be promoted, unless somebody broke it. */
export async function rehearsed(folder: string): Promise<Rehearsal> {
  const rehearsal = await new Rehearsal(folder).begin();
  await rehearsal.commit('Sync by hand', { 'argocd/values.yaml': 'gitea_applications: { cms: {} }\n' });
  await rehearsal.survive();
  return rehearsal;
}

/** The names of the default rules' requirements, for those who must know them all. */
export function allRequirements(): string[] {
  const { always, classes } = defaultRules();
  return [...always, ...Object.values(classes).flatMap((one) => one?.require ?? [])].map(nameOf);
}
