import { OperatorError, reason } from '../support/failure';
import type { Stage, StageContext } from './stages';

/** What the runner is told to do besides running. */
export interface StageHooks {
  /** Resolves when these components of the forge are built. */
  componentsReady(names: string[]): Promise<void>;
  started(stage: string): void;
  ended(stage: string, seconds: number): void;
  failed(stage: string, error: string): void;
}

/**
 * Runs stages as soon as the stages and components they need are there, side by side where they may. After a failure
 * nothing new begins; what runs already ends in its own way.
 * @param done names of stages that ended in an earlier run.
 * @throws OperatorError of the first stage that failed; the signal's reason when interrupted.
 */
export async function runStages(
  stages: readonly Stage[],
  done: ReadonlySet<string>,
  context: StageContext,
  hooks: StageHooks,
): Promise<void> {
  assertRunnable(stages);
  let failure: unknown;
  const runs = new Map<string, Promise<boolean>>();
  for (const stage of inOrder(stages)) {
    if (done.has(stage.name)) {
      runs.set(stage.name, Promise.resolve(true));
      continue;
    }
    const needed = stage.needs.flatMap((name) => runs.get(name) ?? []);
    runs.set(
      stage.name,
      (async () => {
        if ((await Promise.all(needed)).includes(false)) return false;
        try {
          await hooks.componentsReady(stage.components);
          if (failure !== undefined || context.signal.aborted) return false;
          hooks.started(stage.name);
          const begun = performance.now();
          await stage.run(context);
          context.signal.throwIfAborted();
          hooks.ended(stage.name, Math.round((performance.now() - begun) / 100) / 10);
          return true;
        } catch (thrown) {
          if (!context.signal.aborted) {
            hooks.failed(stage.name, reason(thrown));
            failure ??= stageFailure(stage.name, thrown);
          }
          return false;
        }
      })(),
    );
  }
  await Promise.all(runs.values());
  context.signal.throwIfAborted();
  if (failure !== undefined) throw failure;
}

/** Keeps a stage's own sentence, which names machine, step and log, and adds that the lab can go on from there. */
function stageFailure(stage: string, thrown: unknown): OperatorError {
  return new OperatorError({
    attempted: `finish stage ${stage}`,
    seen: reason(thrown),
    next: 'mend the cause and run `npm run lab -- up` again: the stages that ended are kept.',
    cause: thrown,
  });
}

/** Stages with those they need before them. */
function inOrder(stages: readonly Stage[]): Stage[] {
  const ordered: Stage[] = [];
  const left = [...stages];
  while (left.length > 0) {
    const next = left.findIndex((stage) => stage.needs.every((name) => ordered.some((before) => before.name === name)));
    if (next === -1)
      throw new Error(`stages that need each other in a circle: ${left.map((stage) => stage.name).join(', ')}`);
    ordered.push(...left.splice(next, 1));
  }
  return ordered;
}

function assertRunnable(stages: readonly Stage[]): void {
  const names = new Set(stages.map((stage) => stage.name));
  for (const stage of stages) {
    const missing = stage.needs.find((name) => !names.has(name));
    if (missing !== undefined) throw new Error(`stage ${stage.name} needs ${missing}, which does not exist`);
  }
}
