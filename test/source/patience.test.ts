/** Limits in time of tests that run in the virtual machine too, where all takes longer. */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const project = fileURLToPath(new URL('../..', import.meta.url))

/** Of a signal, of what repeats until an end, and of a test or a suite on one line; `command` and its like multiply by themselves. */
const limits =
  /(?:slowest|ping\(\)\)) < [\d_]+[,)]|AbortSignal\.timeout\([\d_]+\)|performance\.now\(\) - \w+ [<>] [\d_]+\b(?! \*)|^\s*(?:test|describe)\(.*(?:\n\s+)?\btimeout: [\d_]+(?: \}|,$)/gm

test('a limit in time knows patience (test/support/patience.ts)', () => {
  const files = globSync('test/{kernel,scenario}/**/*.test.ts', { cwd: project })
  assert.ok(files.length > 50)
  const without = files.flatMap(file =>
    [...readFileSync(`${project}/${file}`, 'utf8').matchAll(limits)].map(([limit]) => `${file}: ${limit.trim()}`),
  )
  assert.deepEqual(without, [])
})
