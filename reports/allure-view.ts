import { TestStepResultStatus as Status, type Envelope, type Hook, type TestStepResult } from '@cucumber/messages';
import { explained, type ScenarioMessages } from './explain';
import { isFailure } from './scenarios';

/**
 * One scenario's messages as allure-cucumberjs must see them to get its status right. Version 3.12 shows undefined and
 * ambiguous scenarios as passed, pending ones as skipped, and ignores failing hooks (design.md, allure-js 1353 and 1358).
 * Here undefined, ambiguous and pending become failures with words, and a hook that failed becomes a step of the scenario.
 */
export function allureView(
  envelopes: readonly Envelope[],
  scenario: ScenarioMessages,
  hooks: ReadonlyMap<string, Hook>,
): Envelope[] {
  const failedHooks = new Map<string, string>();
  for (const { testStepFinished } of envelopes) {
    if (testStepFinished === undefined || !isFailure(testStepFinished.testStepResult.status)) continue;
    const testStep = scenario.testCase.testSteps.find(({ id }) => id === testStepFinished.testStepId);
    if (testStep?.hookId !== undefined) failedHooks.set(testStep.id, hookTitle(hooks.get(testStep.hookId)));
  }
  const translated = explained(envelopes, scenario).map((envelope) => {
    const { testStepFinished } = envelope;
    if (testStepFinished === undefined || !isFailure(testStepFinished.testStepResult.status)) return envelope;
    const inHook = failedHooks.has(testStepFinished.testStepId);
    return {
      testStepFinished: { ...testStepFinished, testStepResult: asFailure(testStepFinished.testStepResult, inHook) },
    };
  });
  return failedHooks.size === 0 ? translated : [...asSteps(scenario, failedHooks), ...translated];
}

/**
 * Allure tells `failed` (the sandbox is not as it must be) from `broken` (the test could not tell) by the word "assert" in
 * the error. A wait of a step that was not met is the former; one of a hook is the sandbox not being ready.
 */
function asFailure(result: TestStepResult, inHook: boolean): TestStepResult {
  const { exception } = result;
  const verdict =
    exception?.type === 'AwaitTimeout' && !inHook ? { ...exception, type: 'AwaitTimeout (assertion)' } : exception;
  return { ...result, status: Status.FAILED, ...(verdict === undefined ? {} : { exception: verdict }) };
}

/** The pickle and test case once more, with the failed hooks as steps: the reporter keeps what it was told last. */
function asSteps({ pickle, testCase }: ScenarioMessages, failedHooks: ReadonlyMap<string, string>): Envelope[] {
  const hookSteps = [...failedHooks].map(([id, text]) => ({ id: `hook-${id}`, text, astNodeIds: [] }));
  const testSteps = testCase.testSteps.map((step) =>
    failedHooks.has(step.id) ? { id: step.id, pickleStepId: `hook-${step.id}`, stepDefinitionIds: [] } : step,
  );
  return [{ pickle: { ...pickle, steps: [...pickle.steps, ...hookSteps] } }, { testCase: { ...testCase, testSteps } }];
}

function hookTitle(hook: Hook | undefined): string {
  const kind = hook?.type === 'AFTER_TEST_CASE' ? 'After' : 'Before';
  return `${kind} the scenario: ${hook?.name ?? 'a hook without a name'}`;
}
