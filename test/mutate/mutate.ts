/**
 * Changes the pure code in one place at a time and looks whether a test notices: `npm run mutate [GROUP...]`. By hand, never in the
 * gate: all groups take about an hour. MUTATE_FILES narrows a group to some files ("src/targets/engine/plan/hash.ts,src/graph/order.ts").
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

interface Group {
  readonly mutate: readonly string[]
  readonly tests: readonly string[]
}

/** What is changed, and the tests whose task it is to notice. */
const groups: Readonly<Record<string, Group>> = {
  plan: {
    mutate: ['src/plan/**/*.ts', 'src/targets/engine/plan/**/*.ts', 'src/graph/**/*.ts'],
    tests: ['test/targets/engine/plan/**/*.test.ts', 'test/golden/plan/*.test.ts', 'test/graph/**/*.test.ts'],
  },
  stack: {
    mutate: ['src/stack/**/*.ts', 'src/model/**/*.ts'],
    tests: ['test/stack/**/!(fuzz).test.ts', 'test/model/**/*.test.ts'],
  },
  lib: { mutate: ['src/lib/**/*.ts'], tests: ['test/{lib,stack,targets,api,client}/**/!(fuzz).test.ts'] },
  engine: {
    mutate: [
      'src/engine/networks/{ipam,address,port-bindings,network-filters,firewall}.ts',
      'src/engine/containers/state.ts',
      'src/engine/containers/config/{restart-policy,capabilities,security-options,environment,endpoints,merge-config,user,spec}.ts',
      'src/engine/health/state.ts',
      'src/engine/dns/{resolve,names,message}.ts',
      'src/engine/images/{reference,platform,manifest}.ts',
    ],
    tests: ['test/engine/**/*.test.ts'],
  },
  runtime: {
    mutate: [
      'src/runtime/parts/**/*.ts',
      'src/runtime/{compile,print,program,failure}.ts',
      'src/runtime/seccomp/**/*.ts',
    ],
    tests: ['test/runtime/**/*.test.ts'],
  },
}

const root = fileURLToPath(new URL('../..', import.meta.url))
const own = join(root, 'test/mutate')

function main(asked: readonly string[]): void {
  const unknown = asked.filter(name => !Object.hasOwn(groups, name))
  if (unknown.length > 0) {
    console.error(`Cannot mutate "${unknown.join('", "')}": groups are ${Object.keys(groups).join(', ')}`)
    process.exitCode = 2
    return
  }
  install()
  const scores = (asked.length > 0 ? asked : Object.keys(groups)).map(name => run(name, groups[name]!))
  console.log('\ngroup      mutants  killed  survived  not run  score')
  for (const { name, mutants, killed, survived, uncovered } of scores)
    console.log(
      `${name.padEnd(10)} ${String(mutants).padStart(7)} ${String(killed).padStart(7)} ${String(survived).padStart(9)} ${String(uncovered).padStart(8)}  ${((100 * killed) / mutants).toFixed(1)} %`,
    )
}

function install(): void {
  if (existsSync(join(own, 'node_modules/@stryker-mutator/core'))) return
  const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: own,
    stdio: 'inherit',
  })
  if (status !== 0) throw new Error('Cannot install the mutation tester')
}

interface Score {
  readonly name: string
  readonly mutants: number
  readonly killed: number
  readonly survived: number
  readonly uncovered: number
}

function run(name: string, group: Group): Score {
  const work = mkdtempSync(join(tmpdir(), 'tscompose-mutate-'))
  const report = join(root, 'build/mutate', `${name}.json`)
  mkdirSync(join(root, 'build/mutate'), { recursive: true })
  const config = {
    testRunner: 'tap',
    plugins: [join(own, 'node_modules/@stryker-mutator/tap-runner/dist/src/index.js')],
    // there is one of the compiler's JavaScript interface no more, and nothing in it to rewrite
    tsconfigFile: 'none.json',
    mutate: process.env['MUTATE_FILES']?.split(',') ?? group.mutate,
    ignorePatterns: ['build', 'test/mutate'],
    tempDirName: join(work, 'trees'),
    reporters: ['json', 'progress-append-only'],
    jsonReporter: { fileName: report },
    concurrency: Number(process.env['MUTATE_CONCURRENCY'] ?? 2),
    coverageAnalysis: 'perTest',
    tap: { testFiles: group.tests, nodeArgs: ['--test-reporter=tap', '-r', '{{hookFile}}', '{{testFile}}'] },
  }
  try {
    const file = join(work, 'stryker.json')
    writeFileSync(file, JSON.stringify(config))
    const stryker = join(own, 'node_modules/@stryker-mutator/core/bin/stryker.js')
    const { status } = spawnSync(process.execPath, [stryker, 'run', file], { cwd: root, stdio: 'inherit' })
    if (status !== 0) throw new Error(`Cannot mutate ${name}: the mutation tester ended with ${status}`)
    return { name, ...told(report) }
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

/** Prints what no test noticed; the whole report stays in build/mutate. */
function told(report: string): Omit<Score, 'name'> {
  const { files } = JSON.parse(readFileSync(report, 'utf8')) as {
    files: Record<string, { source: string; mutants: readonly Mutant[] }>
  }
  const all: Mutant[] = []
  for (const [path, { source, mutants }] of Object.entries(files)) {
    const lines = source.split('\n')
    for (const mutant of mutants) {
      if (mutant.status === 'Ignored' || mutant.status === 'CompileError') continue
      all.push(mutant)
      const { line, column } = mutant.location.start
      if (mutant.status === 'Survived' || mutant.status === 'NoCoverage')
        console.log(
          `${path}:${line}:${column} ${mutant.status} ${mutant.mutatorName}\n    ${lines[line - 1]!.trim()}\n    → ${mutant.replacement ?? ''}`,
        )
    }
  }
  const count = (...statuses: readonly string[]): number => all.filter(({ status }) => statuses.includes(status)).length
  return {
    mutants: all.length,
    killed: count('Killed', 'Timeout', 'RuntimeError'),
    survived: count('Survived'),
    uncovered: count('NoCoverage'),
  }
}

interface Mutant {
  readonly status: string
  readonly mutatorName: string
  readonly replacement?: string
  readonly location: { readonly start: { readonly line: number; readonly column: number } }
}

main(process.argv.slice(2))
