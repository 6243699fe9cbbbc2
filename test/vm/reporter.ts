/** Each test's result as a line of JSON: a reporter of `node --test`, for whoever counts outside of the machine. */
import type { TestEvent } from 'node:test/reporters'
import type { TestResult } from './summary.ts'

// biome-ignore lint/style/noDefaultExport: what node asks of a reporter
export default async function* results(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const { type, data } of events) {
    if ((type !== 'test:pass' && type !== 'test:fail') || data.details.type === 'suite') continue
    const { name, file = '', skip, details } = data
    const outcome = skip ? 'skipped' : type === 'test:pass' ? 'passed' : 'failed'
    const result: TestResult = { file, name, outcome, seconds: details.duration_ms / 1000, reason: String(skip ?? '') }
    yield `${JSON.stringify(result)}\n`
  }
}
