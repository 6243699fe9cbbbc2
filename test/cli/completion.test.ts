import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { commands } from '../../src/cli/commands.ts'
import { globalOptions, type OptionSpec } from '../../src/cli/options.ts'
import { tscompose } from './fake-client.ts'

const folder = mkdtempSync(join(tmpdir(), 'tscompose-completion-'))
after(() => rmSync(folder, { recursive: true }))
// stands for us where the script asks for services
writeFileSync(join(folder, 'tscompose'), '#!/bin/sh\necho "web worker db"\necho "$@" >&2\n')
chmodSync(join(folder, 'tscompose'), 0o755)

describe('completion', () => {
  for (const [words, expected] of [
    [['u'], 'up unpause url'],
    [['up', '--pul'], '--pull'],
    [['up', '--pull', ''], 'always missing never policy'],
    [['--progress', 'q'], 'quiet'],
    [['image', ''], 'ls load import rm pull push tag save history prune'],
    [['image', 'ls', '--form'], '--format'],
    [['-p', 'x', 'engine', 'st'], 'status stop'],
    [['-f', 'x.yaml', 'logs', 'w'], 'web worker'],
    [['logs', '--tail', ''], ''],
    [['ps', '--format', 'j'], 'json jsonl'],
  ] as const)
    test(`bash completes "${words.join(' ')}" by ${expected || 'nothing'}`, async () => {
      const { stdout: script } = await tscompose(['completion', 'bash'])
      const { stdout, stderr, status } = spawnSync(
        'bash',
        [
          '--norc',
          '-c',
          `${script}\nCOMP_WORDS=(tscompose "$@"); COMP_CWORD=$#; COMPREPLY=(); _tscompose; echo "\${COMPREPLY[*]}"`,
          'bash',
          ...words,
        ],
        { encoding: 'utf8', cwd: folder, env: { PATH: `${folder}:/usr/bin:/bin` } },
      )
      assert.deepEqual([status, stderr, stdout], [0, '', `${expected}\n`])
    })

  for (const shell of ['bash', 'zsh', 'fish'])
    test(`${shell} knows every option of every command`, async () => {
      const { code, stdout } = await tscompose(['completion', shell])
      assert.equal(code, 0)
      for (const { name, load } of commands) {
        assert.ok(stdout.includes(name.split(' ').at(-1)!), name)
        const { options } = await load()
        for (const option of Object.keys({ ...globalOptions, ...options }))
          assert.ok(stdout.includes(shell === 'fish' ? `-l ${option} ` : `--${option}`), `${name} --${option}`)
      }
    })

  test('refuses a shell it does not know', async () => {
    assert.equal((await tscompose(['completion', 'tcsh'])).code, 1)
  })
})

describe('the table of options', () => {
  for (const { name, load } of commands)
    test(`${name} has no option, other name or letter twice, and help shows all of them`, async () => {
      const { options } = await load()
      const all = Object.entries(options as Readonly<Record<string, OptionSpec>>)
      const names = all.flatMap(([option, spec]) => [option, ...(spec.also ?? [])])
      const letters = all.flatMap(([, spec]) => spec.short ?? [])
      assert.equal(new Set(names).size, names.length)
      assert.equal(new Set(letters).size, letters.length)
      const { stdout } = await tscompose([...name.split(' '), '--help'])
      for (const option of names) assert.ok(stdout.includes(`--${option}`), option)
      for (const [, { about }] of all) assert.ok(about.length > 3, about)
    })
})
