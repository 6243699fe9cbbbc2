/**
 * Kernel and scenario tests in a virtual machine whose cgroups are v2 alone, and at the end what was skipped and why.
 *
 *   npm run test:v2 -- [--systemd] [--limit MINUTES] [FILE...]
 *   npm run test:v2 -- [--systemd] --command 'cat /sys/fs/cgroup/cgroup.controllers'
 *   npm run test:v2 -- --qemu ...       Debian's kernel, emulated, instead of one that is a program
 *   npm run test:v2 -- --docker ...     beside Docker's engine, of the peers' root, at TSCOMPOSE_TEST_DOCKER
 *   node test/vm/run.ts --chosen     what shows most in a few minutes (.ci/v2 makes the machine first)
 */
import { globSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { peersRoot } from '../support/needs.ts'
import { makeDisk } from './disk.ts'
import { checkout, kinds, runMachine } from './machine.ts'
import { parseResults, summarize } from './summary.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    systemd: { type: 'boolean', default: false },
    limit: { type: 'string', default: '120' },
    command: { type: 'string' },
    chosen: { type: 'boolean', default: false },
    docker: { type: 'boolean', default: false },
    qemu: { type: 'boolean', default: false },
  },
})
/** Limits of each controller, devices by a filter, birth in a group, freezing, pressure, weights, groups of a stack's choice, exec, the end of memory. */
const chosen = ['test/kernel/cgroup-v2.test.ts', 'test/kernel/runtime-exec.test.ts', 'test/scenario/limits.test.ts']
const found = () => globSync('test/{kernel,scenario}/**/*.test.ts', { cwd: checkout }).sort()
const tests = values.chosen ? chosen : positionals.length > 0 ? positionals : found()

const folder = mkdtempSync(join(tmpdir(), 'tsc-vm-'))
try {
  const kind = values.qemu ? 'qemu' : 'user-mode'
  const disk = join(folder, 'disk.img')
  const environment = {
    NODE_COMPILE_CACHE: '/tmp/compile-cache',
    TSCOMPOSE_TEST_PATIENCE: String(kinds[kind].patience),
  }
  const docker = values.docker ? peersRoot() : undefined
  makeDisk(checkout, { tests, command: values.command, docker, environment }, { path: disk, folder })
  const told = join(folder, 'told')
  mkdirSync(told)
  const began = performance.now()
  const {
    console: kernel,
    results,
    code,
  } = await runMachine({
    ...{ kind, disk, folder: told },
    systemd: values.systemd,
    limit: Number(values.limit),
  })
  if (code === undefined) console.log(`The machine ended before its tests did. Its console:\n${kernel.slice(-4000)}`)
  if (values.command === undefined) console.log(summarize(parseResults(results), '/srv/project'))
  console.log(`machine: off after ${((performance.now() - began) / 1000).toFixed(0)} s`)
  process.exitCode = code ?? 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}
