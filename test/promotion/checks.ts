/** A check that is not as it must be, where a trial ends with the first. */
export class WrongCheck extends Error {
  constructor(
    readonly what: string,
    readonly seen: string,
  ) {
    super(`${what}: ${seen}`);
  }
}

/** What a trial has seen so far, printed as it is seen. */
export class Checks {
  passed = 0;
  failed = 0;

  /** @param strict end the trial with the first check that is wrong, by throwing WrongCheck. */
  constructor(private readonly strict: boolean) {}

  is(what: string, expected: string, seen: string): void {
    const right = expected === seen;
    if (right) this.passed += 1;
    else this.failed += 1;
    console.log(`${right ? 'ok    ' : 'WRONG '} ${what}: ${seen}${right ? '' : `, expected ${expected}`}`);
    if (!right && this.strict) throw new WrongCheck(what, seen);
  }
}
