/**
 * Every test there is, or some of them. Ends with 1 when one has failed.
 *
 *   [TESTS_AT_ONCE=N] node test/run.ts [fast|kernel|FILE...]
 *
 * There are twice as many processes at a time as processors (units.ts says what is one). Tests of the kernel and scenarios wait much of their
 * time, for programs, clocks and disks, the others compute, and the two kinds are spread among each other: as many as processors take half as
 * long again.
 */
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { warmFolder } from './support/warm.ts'
import { alone, entryOf, unitsOf } from './units.ts'

const root = join(import.meta.dirname, '..')

/** Milliseconds that a process may take: what a fault leaves hanging ends there. */
const longest = 10 * 60_000

// most of a file's time would be the compilation of the same modules; children of tests have it as well
process.env['NODE_COMPILE_CACHE'] ??= join(root, 'node_modules/.cache/code')
using _ = warmFolder()
const words = process.argv.slice(2)
const [word] = words
const units = word === undefined || word === 'fast' || word === 'kernel' ? unitsOf(root, word) : words.map(alone)
const nameOf = new Map(units.map(unit => [entryOf(root, unit), unit.name]))
const tests = run({
  files: [...nameOf.keys()],
  cwd: root,
  concurrency: Number(process.env['TESTS_AT_ONCE'] ?? 2 * availableParallelism()),
  timeout: longest,
  // what a test leaves to be collected is much, and most of it lives for a moment only
  execArgv: ['--max-semi-space-size=32'],
})
const took: { readonly name: string; readonly seconds: number }[] = []
tests.on('test:summary', ({ file, success, duration_ms }) => {
  if (file !== undefined) took.push({ name: nameOf.get(file) ?? file, seconds: duration_ms / 1000 })
  else if (!success) process.exitCode = 1
})
const told = tests.compose(spec)
told.pipe(process.stdout, { end: false })
await finished(told)
took.sort((one, other) => other.seconds - one.seconds)
const slowest = took.slice(0, 20).map(({ name, seconds }) => `${seconds.toFixed(1)} s ${name}`)
console.log(`\nWhat took longest, of ${took.length} processes:\n  ${slowest.join('\n  ')}`)
