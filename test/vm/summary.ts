/** Results of tests, a line of JSON each → what passed, what failed, and what was skipped for which reason, in words. */

export interface TestResult {
  readonly file: string
  readonly name: string
  readonly outcome: 'passed' | 'failed' | 'skipped'
  readonly seconds: number
  /** Why it was skipped, "" otherwise. */
  readonly reason: string
}

/** The last line may be cut off by the machine's end: it is no result then. */
export function parseResults(text: string): readonly TestResult[] {
  return text
    .split('\n')
    .slice(0, -1)
    .map(line => JSON.parse(line) as TestResult)
}

/** The closing line is what a reader of logs counts by: "12 passed, 0 failed, 3 skipped". */
export function summarize(results: readonly TestResult[], within: string): string {
  const of = (outcome: TestResult['outcome']) => results.filter(result => result.outcome === outcome)
  const place = ({ file, name }: TestResult) => `${file.replace(`${within}/`, '')}: ${name}`
  const [passed, failed, skipped] = [of('passed'), of('failed'), of('skipped')]
  return [
    ...skipped.map(result => `skipped  ${place(result)}: ${result.reason}`),
    ...failed.map(result => `failed   ${place(result)}`),
    `${passed.length} passed, ${failed.length} failed, ${skipped.length} skipped`,
  ].join('\n')
}
