/**
 * Each test's result as a line of JSON: a reporter of `node --test`, for whoever counts outside of the machine. Of suites those that are skipped whole,
 * whose tests nobody hears of, and those that fail by themselves, as when what runs after their tests does.
 */
import type { TestEvent } from 'node:test/reporters'
import type { TestResult } from './summary.ts'

// biome-ignore lint/style/noDefaultExport: what node asks of a reporter
export default async function* results(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const { type, data } of events) {
    if (type !== 'test:pass' && type !== 'test:fail') continue
    const { name, file = '', skip, details } = data
    if (details.type === 'suite' && !skip && !failsByItself(details)) continue
    const outcome = skip ? 'skipped' : type === 'test:pass' ? 'passed' : 'failed'
    const result: TestResult = { file, name, outcome, seconds: details.duration_ms / 1000, reason: String(skip ?? '') }
    yield `${JSON.stringify(result)}\n`
  }
}

function failsByItself(details: object): boolean {
  return 'error' in details && (details.error as { readonly failureType?: string }).failureType !== 'subtestsFailed'
}
