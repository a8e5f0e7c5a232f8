import {
  TestStepResultStatus as Status,
  type Envelope,
  type PickleStep,
  type TestStepResult,
} from '@cucumber/messages';
import type { SkipNote } from '../support/evidence/skip';

/**
 * Cucumber gives undefined, ambiguous, pending and skipped results no words. Reports that show only words (JUnit, Allure)
 * would then be silent about why a scenario is not green.
 */
export function explain(
  result: TestStepResult,
  step: PickleStep | undefined,
  skip: SkipNote | undefined,
): TestStepResult {
  if (result.exception !== undefined) return result;
  const said = words(result.status, step?.text, skip);
  if (said === undefined) return result;
  return { ...result, message: said.message, exception: { ...said, stackTrace: said.message } };
}

function words(
  status: Status,
  text: string | undefined,
  skip: SkipNote | undefined,
): { type: string; message: string } | undefined {
  switch (status) {
    case Status.UNDEFINED:
      return { type: 'UndefinedStep', message: `No step definition matches "${text ?? ''}".` };
    case Status.AMBIGUOUS:
      return { type: 'AmbiguousStep', message: `More than one step definition matches "${text ?? ''}".` };
    case Status.PENDING:
      return { type: 'PendingStep', message: `The step "${text ?? 'hook'}" says that it is not finished yet.` };
    case Status.UNKNOWN:
      return { type: 'UnknownResult', message: 'The step left no result.' };
    case Status.SKIPPED:
      return skip && { type: `Skipped (${skip.kind})`, message: `Skipped (${skip.kind}): ${skip.why}` };
    default:
      return undefined;
  }
}

/** The parts of a scenario's messages that translations need. */
export interface ScenarioMessages {
  pickle: NonNullable<Envelope['pickle']>;
  testCase: NonNullable<Envelope['testCase']>;
  skip: SkipNote | undefined;
}

/** The pickle step that a test step runs; undefined for hooks. */
export function pickleStepOf({ pickle, testCase }: ScenarioMessages, testStepId: string): PickleStep | undefined {
  const testStep = testCase.testSteps.find(({ id }) => id === testStepId);
  return pickle.steps.find(({ id }) => id === testStep?.pickleStepId);
}

/** The messages of one scenario with words for every result that is not `passed`. */
export function explained(envelopes: readonly Envelope[], scenario: ScenarioMessages): Envelope[] {
  return envelopes.map((envelope) => {
    const { testStepFinished } = envelope;
    if (testStepFinished === undefined) return envelope;
    const step = pickleStepOf(scenario, testStepFinished.testStepId);
    return {
      testStepFinished: {
        ...testStepFinished,
        testStepResult: explain(testStepFinished.testStepResult, step, scenario.skip),
      },
    };
  });
}
