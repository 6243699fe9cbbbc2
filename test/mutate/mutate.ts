/**
 * Changes the pure code in one place at a time and looks whether a test notices: `npm run mutate [GROUP...]`. By hand, never in the
 * gate: all groups take some hours, most of them for what code does while it is loaded, which only a new process can load changed.
 * MUTATE_FILES narrows a group to some files ("src/targets/engine/plan/hash.ts,src/graph/order.ts"); MUTATE_SAMPLE=0.1 takes a tenth of
 * the mutants, at random by MUTATE_SEED (1), and tells between which bounds the score of all lies then.
 *
 * Only a test that fails has noticed, or an end without which code would go on for ever (a hundred times as often round as unchanged). What
 * the clock ends (`patience`) may be a fault of the machine's: it is told apart, and the score counts it as not noticed.
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
    tests: [
      'test/{plan,graph,golden/plan,golden/changes,targets/engine/plan}/**/*.test.ts',
      'test/targets/engine/{support,rollouts,converge}.test.ts',
    ],
  },
  stack: {
    mutate: ['src/stack/**/*.ts', 'src/model/**/*.ts'],
    tests: ['test/{stack,model,golden/stack,golden/refused}/**/!(fuzz).test.ts'],
  },
  lib: {
    mutate: ['src/lib/**/*.ts'],
    tests: ['test/{lib,model,stack,api,golden/plan,targets/engine/plan}/**/!(fuzz|hostile|random-stacks).test.ts'],
  },
  engine: {
    mutate: [
      'src/engine/networks/{ipam,address,port-bindings,network-filters,firewall}.ts',
      'src/engine/containers/state.ts',
      'src/engine/containers/config/{restart-policy,capabilities,security-options,environment,endpoints,merge-config,user,spec}.ts',
      'src/engine/health/state.ts',
      'src/engine/dns/{resolve,names,message}.ts',
      'src/engine/images/{reference,platform,manifest}.ts',
    ],
    tests: [
      'test/engine/{networks,containers,dns,health}/**/!(damage|disk-full).test.ts',
      'test/engine/images/{reference,platform,manifest,pull-registry,image-list,catalogue,images}.test.ts',
    ],
  },
  runtime: {
    mutate: [
      'src/runtime/parts/**/*.ts',
      'src/runtime/{compile,print,program,failure}.ts',
      'src/runtime/seccomp/**/*.ts',
    ],
    tests: ['test/{runtime,golden/program}/**/*.test.ts'],
  },
}

const root = fileURLToPath(new URL('../..', import.meta.url))
/** Milliseconds beyond one and a half times what the tests of a mutant take unchanged: a machine that is busy is slower than that. */
const patience = 60_000
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
  console.log('\ngroup      mutants   asked  killed  timed out  survived  not run  score (95 %)')
  for (const { name, mutants, asked, killed, undecided, survived, uncovered } of scores) {
    const columns = [
      name.padEnd(9),
      ...[mutants, asked, killed].map(count => String(count).padStart(7)),
      String(undecided).padStart(10),
      String(survived).padStart(9),
      String(uncovered).padStart(8),
    ]
    console.log(
      `${columns.join(' ')}  ${percent(killed / asked)}${asked < mutants ? ` (${bounds(killed, asked)})` : ''}`,
    )
  }
}

/** Between which shares of all that of a sample lies with 95 % (Wilson). */
function bounds(count: number, of: number): string {
  const z = 1.96
  const middle = (count + z ** 2 / 2) / (of + z ** 2)
  const half = (z / (of + z ** 2)) * Math.sqrt((count * (of - count)) / of + z ** 2 / 4)
  return `${percent(middle - half)} to ${percent(middle + half)}`
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`
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
  /** As many are in the sample. */
  readonly asked: number
  readonly killed: number
  /** Ended by the clock, or by a test that fails unchanged as well. */
  readonly undecided: number
  readonly survived: number
  readonly uncovered: number
}

function run(name: string, group: Group): Score {
  const work = mkdtempSync(join(tmpdir(), 'tscompose-mutate-'))
  const report = join(root, 'build/mutate', `${name}.json`)
  mkdirSync(join(root, 'build/mutate'), { recursive: true })
  const share = Number(process.env['MUTATE_SAMPLE'] ?? 1)
  const config = {
    testRunner: 'in-process',
    plugins: [join(own, 'runner.ts'), join(own, 'sample.ts')],
    checkers: share < 1 ? ['sample'] : [],
    sample: { share, seed: process.env['MUTATE_SEED'] ?? '1' },
    // there is one of the compiler's JavaScript interface no more, and nothing in it to rewrite
    tsconfigFile: 'none.json',
    mutate: process.env['MUTATE_FILES']?.split(',') ?? group.mutate,
    ignorePatterns: ['/build', '/test/mutate'],
    tempDirName: join(work, 'trees'),
    reporters: ['json', 'progress-append-only'],
    jsonReporter: { fileName: report },
    concurrency: Number(process.env['MUTATE_CONCURRENCY'] ?? 2),
    coverageAnalysis: 'perTest',
    inProcess: { files: group.tests },
    timeoutMS: patience,
    warnings: { unknownOptions: false, slow: false },
  }
  try {
    const file = join(work, 'stryker.json')
    writeFileSync(file, JSON.stringify(config))
    const stryker = join(own, 'node_modules/@stryker-mutator/core/bin/stryker.js')
    // what a changed test leaves behind is within
    const env = { ...process.env, TMPDIR: work, NODE_COMPILE_CACHE: join(work, 'code') }
    const { status } = spawnSync(process.execPath, [stryker, 'run', file], { cwd: root, stdio: 'inherit', env })
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
      if (mutant.status !== 'Ignored') all.push(mutant)
      const { line, column } = mutant.location.start
      if (['Survived', 'NoCoverage', 'Timeout', 'RuntimeError'].includes(mutant.status))
        console.log(
          `${path}:${line}:${column} ${mutant.status} ${mutant.mutatorName}\n    ${lines[line - 1]!.trim()}\n    → ${mutant.replacement ?? ''}`,
        )
    }
  }
  const count = (...statuses: readonly string[]): number => all.filter(({ status }) => statuses.includes(status)).length
  return {
    mutants: all.length,
    asked: all.length - count('CompileError'),
    killed: count('Killed'),
    undecided: count('Timeout', 'RuntimeError'),
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
