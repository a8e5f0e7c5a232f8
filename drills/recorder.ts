import { run } from '../support/command';
import { findingsTable } from '../support/evidence/findings-table';
import { registerSandboxSecrets } from '../support/evidence/known-secrets';
import { redactor } from '../support/evidence/redaction';
import { reason } from '../support/failure';
import type { Finding } from '../support/finding';
import { factoryHome, projectRoot, timeInName } from '../support/paths';
import { processIdentity } from '../support/process';
import type { Part, Target } from '../support/target';
import type { DrillDefinition } from './definition';
import {
  writeJournal,
  type ImprovisedStep,
  type Journal,
  type Phase,
  type Recovery,
  type StepRecord,
  type Verdict,
} from './journal';
import { openOnes } from './proof';
import type { Runbook } from './runbook/document';

const processId = process.pid;

/** What of a run its journal depends on. */
export interface RecorderOptions {
  /** Whoever took the operator's place: then it is a game day. */
  operator?: unknown;
  /** A game day that was left half-way, to be gone on with from its first open step. */
  resumed?: Journal;
  /** Another folder for the journal: a mutated drill is no evidence. */
  journals?: string;
}

/** Keeps a drill's journal, on disk after everything that happens. */
export class Recorder {
  readonly journal: Journal;

  constructor(
    private readonly target: Target,
    drill: DrillDefinition,
    runbook: Runbook,
    private readonly options: RecorderOptions,
  ) {
    registerSandboxSecrets(redactor);
    const started = new Date().toISOString();
    const sections = runbook.sections.filter(({ slug }) => drill.sections.includes(slug));
    const process = { pid: processId, identity: processIdentity(processId) ?? '' };
    this.journal =
      options.resumed !== undefined
        ? { ...options.resumed, process, decisionsMs: options.resumed.decisionsMs + nobodyAtIt(options.resumed) }
        : {
            schema: 'sandbox-acceptance/drill-journal',
            version: 1,
            id: `${drill.id}-${timeInName(started)}`,
            drill: drill.id,
            title: drill.title,
            changeClasses: [...drill.changeClasses],
            mode: options.operator === undefined ? 'automatic' : 'game day',
            target: { name: target.name, identity: target.identity() ?? null },
            provenance: [],
            commits: { suite: null, suiteDirty: false, factory: null },
            runbook: {
              path: runbook.path,
              hash: runbook.hash,
              sections: sections.map(({ slug }) => slug),
              blocks: sections.flatMap(({ blocks }) =>
                blocks.map(({ id, kind, section, line, hash }) => ({ id, kind, section, line, hash })),
              ),
            },
            started,
            ended: null,
            process,
            phases: [],
            injected: false,
            memory: null,
            injectedAt: null,
            detectedAt: null,
            decisionsMs: 0,
            steps: [],
            improvised: [],
            firstFailedStep: null,
            findings: [],
            samples: [],
            observations: [],
            recovery: null,
            verdict: null,
            reason: null,
          };
    this.save();
  }

  /** Begins a phase. @returns what ends it, with why it failed if it did. */
  begin(phase: Phase): (failed?: string) => void {
    const entry: Journal['phases'][number] = { phase, started: new Date().toISOString(), ended: null };
    this.journal.phases.push(entry);
    this.save();
    return (failed) => {
      entry.ended = new Date().toISOString();
      if (failed !== undefined) entry.failed = failed;
      this.save();
    };
  }

  prepared(memory: unknown): void {
    this.journal.memory = memory;
    this.save();
  }

  /** @param notes what a resumed game day will need of this process. */
  injected(really: boolean, notes: ReadonlyMap<string, unknown>): void {
    this.journal.injected = really;
    this.journal.notes = Object.fromEntries(notes);
    this.journal.injectedAt = new Date().toISOString();
    this.save();
  }

  detected(found: Finding): void {
    this.journal.detectedAt = new Date().toISOString();
    this.saw('detect', [found]);
  }

  /** The operator thought or paused so long, in milliseconds. */
  decided(ms: number): void {
    this.journal.decisionsMs += ms;
    this.save();
  }

  step(record: StepRecord): void {
    this.journal.steps.push(record);
    if (!isPassed(record)) this.journal.firstFailedStep ??= record.block;
    this.save();
  }

  improvised(step: ImprovisedStep): void {
    this.journal.improvised.push(step);
    this.save();
  }

  saw(phase: Phase, findings: readonly Finding[]): void {
    this.journal.findings.push({ phase, at: new Date().toISOString(), findings: [...findings] });
    this.save();
  }

  sample(findings: readonly Finding[]): void {
    const met = findings.filter(({ status }) => status === 'met').length;
    const open = met < findings.length ? { open: openOnes(findings) } : {};
    this.journal.samples.push({ at: new Date().toISOString(), met, of: findings.length, ...open });
  }

  observe(name: string, text: string): void {
    this.journal.observations.push({ name, text });
    this.save();
  }

  recovered(recovery: Recovery): void {
    this.journal.recovery = recovery;
  }

  settle(verdict: Verdict, reason: string): void {
    this.journal.verdict = verdict;
    this.journal.reason = redactor.text(reason);
    this.save();
  }

  /** Ends the journal. @returns its file. */
  finish(): string {
    this.journal.ended = new Date().toISOString();
    return this.save();
  }

  private save(): string {
    this.journal.savedAt = new Date().toISOString();
    return writeJournal(this.journal, this.options.journals);
  }

  /** Asks what the target is made of and which commits are in use. Never fails: what is not known stays empty. */
  facts(): Promise<void> {
    return this.collectFacts().catch((thrown: unknown) => this.observe('provenance', `not known: ${reason(thrown)}`));
  }

  private async collectFacts(): Promise<void> {
    const [parts, suite, dirty, factory] = await Promise.all([
      partsOf(this.target),
      git(projectRoot, ['rev-parse', 'HEAD']),
      git(projectRoot, ['status', '--porcelain']),
      git(factoryHome, ['rev-parse', 'HEAD']),
    ]);
    this.journal.provenance = parts;
    this.journal.commits = { suite: suite ?? null, suiteDirty: dirty !== '', factory: factory ?? null };
  }
}

/** How long a game day that was left lay there, in milliseconds: no machine's time either. */
function nobodyAtIt({ savedAt, started }: Journal): number {
  return Math.max(Date.now() - Date.parse(savedAt ?? started), 0);
}

/** Whether a step did what the runbook wants of it, whoever took it. */
export function isPassed({ result }: Pick<StepRecord, 'result'>): boolean {
  return result === 'passed' || result === 'by hand';
}

const known = new Map<string, Promise<Part[]>>();

/** What a target is made of, asked once a sandbox: it takes seconds and does not change while drills run. */
function partsOf(target: Target): Promise<Part[]> {
  const sandbox = `${target.name} ${target.identity() ?? ''}`;
  const asked = known.get(sandbox) ?? target.parts();
  known.set(sandbox, asked);
  asked.catch(() => known.delete(sandbox));
  return asked;
}

async function git(folder: string, args: readonly string[]): Promise<string | undefined> {
  const said = await run('git', ['-C', folder, ...args], { allowFailure: true, timeoutMs: 10_000 });
  return said.exitCode === 0 ? said.stdout.trim() : undefined;
}

/** The journal for a person: what happened, step by step. */
export function asText(journal: Journal): string {
  const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
  const steps = journal.steps.map(({ block, kind, result, started, ended, attempts, why }) => {
    const took = seconds(Date.parse(ended) - Date.parse(started)).padStart(9);
    return `  ${result.padEnd(9)} ${took}  ${kind.padEnd(11)} ${block}${attempts > 1 ? ` (${attempts} looks)` : ''}${why ? `\n             ${why}` : ''}`;
  });
  const { recovery } = journal;
  const split =
    recovery === null
      ? []
      : [
          `recovered after ${seconds(recovery.totalMs)}: detection ${seconds(recovery.detectionMs)}, person ${seconds(recovery.personMs)}, ` +
            `commands ${seconds(recovery.commandMs)}, convergence ${seconds(recovery.convergenceMs)}, suite ${seconds(recovery.overheadMs)}`,
        ];
  const improvised = journal.improvised.map(
    ({ after, command }) => `  improvised after ${after ?? 'the beginning'}: ${command}`,
  );
  const observed = journal.observations.map(({ name, text }) => `${name}: ${text}`);
  const open = journal.findings.at(-1)?.findings.filter(({ status }) => status !== 'met') ?? [];
  return [
    `${journal.drill}: ${journal.verdict ?? 'not ended'}. ${journal.reason ?? ''}`,
    ...split,
    ...steps,
    ...improvised,
    ...observed,
    ...(open.length > 0 ? [findingsTable(open)] : []),
  ].join('\n');
}
