import { setWorldConstructor, World } from '@cucumber/cucumber';
import { assertMet, findingsTable } from './evidence/findings-table';
import { skipMediaType, type SkipNote } from './evidence/skip';
import { Transcript } from './evidence/transcript';
import type { Finding } from './finding';
import { selectTarget, type SkipKind, type Target } from './target';
import { UndoJournal, type Undo } from './undo';

/** A kind of fact a scenario learns, with its type. Defined beside the steps that use it. */
export class Fact<T> {
  /** Keeps facts of different types apart for the compiler. */
  declare readonly type: T;
  /** @param name as a noun phrase for messages: "the canary's chain". */
  constructor(readonly name: string) {}
}

/** What one scenario knows and has to undo. How to talk to the sandbox is not its business: steps call `support/<product>/`. */
export class SandboxWorld extends World {
  readonly target: Target = selectTarget();
  readonly transcript = new Transcript();
  private readonly facts = new Map<string, unknown>();
  private journal: UndoJournal | undefined;

  /** Called by the first hook, which knows the scenario. */
  begin(scenario: string): void {
    this.journal = new UndoJournal(scenario, this.target.identity());
  }

  /** Keeps a fact for a later step. */
  remember<T>(fact: Fact<T>, value: T): T {
    this.facts.set(fact.name, value);
    return value;
  }

  /** A fact that an earlier step kept. @throws Error when the scenario has no such step before this one. */
  recall<T>(fact: Fact<T>): T {
    if (!this.facts.has(fact.name)) {
      throw new Error(`This step needs ${fact.name}: put the step that establishes it before this one.`);
    }
    return this.facts.get(fact.name) as T;
  }

  /**
   * Registers how to undo an act, before the act. Runs after the scenario on every outcome, in reverse order; a failure of
   * it fails the scenario. Of a kind from `defineUndo` it is also replayed by the next run when this one dies.
   * @param description the state to come back to: "app canary is gone".
   */
  undo(description: string, undo: Undo): void {
    if (this.journal === undefined) throw new Error('undo() was called before the scenario began');
    this.journal.register(description, undo);
  }

  /** Undoes everything registered. Called by the undo hook. */
  async undoAll(): Promise<void> {
    await this.journal?.undoAll();
  }

  /** Attaches text to the report. */
  async show(title: string, text: string): Promise<void> {
    this.attach(text, { mediaType: 'text/plain', fileName: title });
  }

  /** Attaches a JSON value to the report. */
  async showJson(title: string, value: unknown): Promise<void> {
    this.attach(JSON.stringify(value, null, 2), { mediaType: 'application/json', fileName: title });
  }

  /** Attaches a page (see `htmlPage`) to Allure's report. The other reports, which would show its source, leave it out. */
  async showHtml(title: string, html: string): Promise<void> {
    this.attach(html, { mediaType: 'text/html', fileName: title });
  }

  /** Attaches findings as a table. */
  async showFindings(title: string, findings: readonly Finding[]): Promise<void> {
    await this.show(title, findingsTable(findings));
  }

  /** Attaches findings and holds the scenario to them. @throws FindingsAssertionError unless all are met. */
  async expectMet(title: string, findings: readonly Finding[]): Promise<void> {
    await this.showFindings(title, findings);
    assertMet(title, findings);
  }

  /** Ends the scenario as skipped, saying why and of which kind. Use as `return this.skip(...)`. */
  async skip(kind: SkipKind, why: string): Promise<'skipped'> {
    const note: SkipNote = { kind, why };
    this.attach(JSON.stringify(note), { mediaType: skipMediaType, fileName: 'skipped' });
    return 'skipped';
  }
}

setWorldConstructor(SandboxWorld);
