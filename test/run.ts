/**
 * Every test there is, or some of them. Ends with 1 when one has failed.
 *
 *   [TESTS_AT_ONCE=N] node test/run.ts [fast|kernel|FILE...]
 *
 * Each file is a process, and there are as many at a time as processors. Tests of the kernel and scenarios wait most of their time (for programs,
 * clocks and disks), the others compute: the two kinds are spread among each other.
 */
import { globSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join, relative, resolve } from 'node:path'
import { finished } from 'node:stream/promises'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'

const root = join(import.meta.dirname, '..')

/** Milliseconds that a file may take: what a fault leaves hanging ends there. */
const longest = 10 * 60_000

/** Files that take longest, as a run tells at its end, in this order: begun last they would be what it waits for, alone. */
export const long: readonly string[] = [
  'scenario/web',
  'scenario/rootless',
  'scenario/buildx',
  'scenario/keeper-life',
  'scenario/examples',
  'scenario/systemd',
  'scenario/kernel-objects',
  'scenario/swarm',
  'scenario/kubernetes',
  'scenario/user-namespaces',
  'scenario/ci',
  'scenario/broken-off',
  'scenario/disk-full',
  'scenario/up-watch',
  'scenario/docker-commands',
  'engine/containers/damage',
  'engine/containers/disk-full',
  'property/convergence',
  'installation/package',
  'warm/warm',
].map(name => `test/${name}.test.ts`)

/** Files from the project's root, in the order of their beginning. */
export function filesOf(part?: 'fast' | 'kernel'): string[] {
  const found = (pattern: string) => {
    // what others have written is none of ours: test/mutate has packages of its own
    const files = globSync(pattern, { cwd: root, exclude: ['**/node_modules/**'] }).sort()
    return [...long.filter(file => files.includes(file)), ...files.filter(file => !long.includes(file))]
  }
  const kernel = found('test/{scenario,kernel}/**/*.test.ts')
  const fast = found('test/!(kernel|scenario)/**/*.test.ts')
  if (part === 'kernel') return kernel
  if (part === 'fast') return fast
  return spread(fast, kernel)
}

/** `few` with `many` among them, each kind in its order and both at an even pace. */
function spread<T>(many: readonly T[], few: readonly T[]): T[] {
  let taken = 0
  const upTo = (i: number) => many.slice(taken, (taken = Math.round(((i + 1) * many.length) / few.length)))
  return few.flatMap((each, i) => [each, ...upTo(i)])
}

async function main(): Promise<void> {
  // most of a file's time would be the compilation of the same modules; children of tests have it as well
  process.env['NODE_COMPILE_CACHE'] ??= join(root, 'node_modules/.cache/code')
  const words = process.argv.slice(2)
  const [word] = words
  const named = word === undefined || word === 'fast' || word === 'kernel' ? filesOf(word) : words
  const tests = run({
    files: named.map(file => resolve(root, file)),
    cwd: root,
    concurrency: Number(process.env['TESTS_AT_ONCE'] ?? availableParallelism()),
    timeout: longest,
    // what a test leaves to be collected is much, and most of it lives for a moment only
    execArgv: ['--max-semi-space-size=32'],
  })
  const took: { readonly file: string; readonly seconds: number }[] = []
  tests.on('test:summary', ({ file, success, duration_ms }) => {
    if (file !== undefined) took.push({ file: relative(root, file), seconds: duration_ms / 1000 })
    else if (!success) process.exitCode = 1
  })
  const told = tests.compose(spec)
  told.pipe(process.stdout, { end: false })
  await finished(told)
  took.sort((one, other) => other.seconds - one.seconds)
  const longestFiles = took.slice(0, 20).map(({ file, seconds }) => `${seconds.toFixed(1)} s ${file}`)
  console.log(`\nWhat took longest, of ${took.length} files:\n  ${longestFiles.join('\n  ')}`)
}

if (import.meta.main) await main()
