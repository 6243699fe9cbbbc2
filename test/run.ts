/**
 * Every test there is, or some of them. Ends with 1 when one has failed.
 *
 *   node test/run.ts [fast|kernel|FILE...]
 *
 * Tests of the kernel and scenarios wait most of their time (for programs, clocks and disks), the others compute: those that wait come first.
 * Each file is a process, and there are as many as there are processors.
 */
import { globSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join, resolve } from 'node:path'
import { finished } from 'node:stream/promises'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'

const root = join(import.meta.dirname, '..')

/** Milliseconds that a file may take: what a fault leaves hanging ends there. */
const longest = 10 * 60_000

/** Files from the project's root, in the order of their beginning. */
export function filesOf(part?: 'fast' | 'kernel'): string[] {
  const found = (pattern: string) => globSync(pattern, { cwd: root }).sort()
  const kernel = [...found('test/scenario/**/*.test.ts'), ...found('test/kernel/**/*.test.ts')]
  const fast = found('test/!(kernel|scenario)/**/*.test.ts')
  if (part === 'kernel') return kernel
  if (part === 'fast') return fast
  return [...kernel, ...fast]
}

async function main(): Promise<void> {
  // most of a file's time would be the compilation of the same modules; children of tests have it as well
  process.env['NODE_COMPILE_CACHE'] ??= join(root, 'node_modules/.cache/code')
  const words = process.argv.slice(2)
  const [word] = words
  const named = word === undefined || word === 'fast' || word === 'kernel' ? filesOf(word) : words
  const files = named.map(file => resolve(root, file))
  const tests = run({ files, cwd: root, concurrency: availableParallelism(), timeout: longest })
  tests.on('test:summary', ({ file, success }) => {
    if (file === undefined && !success) process.exitCode = 1
  })
  const told = tests.compose(spec)
  told.pipe(process.stdout, { end: false })
  await finished(told)
}

if (import.meta.main) await main()
