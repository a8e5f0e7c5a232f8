/**
 * How the Allure report sorts what is not green: first whether the sandbox is not as it must be, or the check itself could
 * not be made (`allureView` gives the two their statuses); steps that are no steps; and skips by their kind.
 */
export const categories = [
  {
    name: 'No check at all: steps undefined, ambiguous or unfinished',
    matchers: [
      {
        statuses: ['failed', 'broken'],
        message: '(No step definition|More than one step definition|not finished yet)',
      },
    ],
  },
  { name: 'Failed product: the sandbox is not as it must be', matchers: [{ statuses: ['failed'] }] },
  { name: 'Broken environment: the check could not be made', matchers: [{ statuses: ['broken', 'unknown'] }] },
  { name: 'Skipped: this target cannot', matchers: [{ statuses: ['skipped'], message: 'Skipped \\(capability\\)' }] },
  { name: 'Skipped: the environment lacks something', matchers: [{ statuses: ['skipped'] }] },
].map((category) => ({ ...category, groupByMessage: true, expand: true }));
