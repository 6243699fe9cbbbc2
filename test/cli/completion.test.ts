import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { commands } from '../../src/cli/commands.ts'
import { globalOptions, type OptionSpec } from '../../src/cli/options.ts'
import { which } from '../support/needs.ts'
import { tscompose } from './fake-client.ts'

const folder = mkdtempSync(join(tmpdir(), 'tscompose-completion-'))
after(() => rmSync(folder, { recursive: true }))
// stands for us where the script asks for services
writeFileSync(
  join(folder, 'tscompose'),
  `#!/bin/sh
case "$*" in
  *'completion words service' | *'completion words container') printf 'web\\nworker\\ndb\\n' ;;
  *'completion words profile') printf 'dev\\ndebug\\n' ;;
  *'completion words image') echo nginx:latest ;;
  *'completion words project') echo shop ;;
esac
`,
)
chmodSync(join(folder, 'tscompose'), 0o755)

/** By a pseudo-terminal, since zsh completes on terminals alone; ends when all that is expected is on it, in any order of columns. */
function zshAsk(line: string, expected: readonly string[]): string {
  return `zmodload zsh/zpty; zpty z zsh -f -i
zpty -w z 'PS1=; setopt no_beep; autoload -U compinit && compinit -u -D; zstyle ":completion:*" list-prompt ""; zstyle ":completion:*" menu no; source ${folder}/completion.zsh; bindkey "^T" list-choices; print READ""Y'
zpty -r -m z out '*READY*'
zpty -n -w z ${JSON.stringify(line)}$'\\C-t'
all=; for word in ${expected.join(' ')}; do while [[ $all != *[[:space:]]\${word}[[:space:]]* ]]; do zpty -r z out || break 2; all+=$out; done; done
print -r -- $all`
}

function fishAsk(line: string): string {
  return `source ${folder}/completion.fish; complete -C ${JSON.stringify(line)}`
}

describe('completion', () => {
  for (const [words, expected] of [
    [['u'], 'up unpause ui url'],
    [['up', '--pul'], '--pull'],
    [['up', '--pull', ''], 'always missing never policy'],
    [['--progress', 'q'], 'quiet'],
    [['image', ''], 'ls load import rm pull push tag save history prune'],
    [['image', 'ls', '--form'], '--format'],
    [['-p', 'x', 'engine', 'st'], 'status stop'],
    [['-f', 'x.yaml', 'logs', 'w'], 'web worker'],
    [['logs', '--tail', ''], ''],
    [['ps', '--format', 'j'], 'json jsonl'],
    [['up', 'w'], 'web worker'],
    [['--profile', 'd'], 'dev debug'],
    [['-p', ''], 'shop'],
    [['image', 'rm', 'ng'], 'nginx:latest'],
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

  for (const [shell, flags, ask] of [
    // a terminal of its own, in which the keys are typed that a person would type
    ['zsh', ['-f'], zshAsk],
    ['fish', ['--no-config'], fishAsk],
  ] as const)
    for (const [line, expected] of [
      ['tscompose up --pul', ['--pull']],
      ['tscompose logs w', ['web', 'worker']],
      ['tscompose -f x.yaml exec d', ['db']],
      ['tscompose --profile de', ['dev', 'debug']],
      ['tscompose image ', ['ls', 'load', 'import', 'rm', 'pull', 'push', 'tag', 'save', 'history', 'prune']],
    ] as const)
      test(`${shell} completes "${line}"`, async t => {
        if (which(shell) === undefined) return t.skip(`${shell} is not installed`)
        const { stdout: script } = await tscompose(['completion', shell])
        writeFileSync(join(folder, `completion.${shell}`), script)
        const { stdout, stderr } = spawnSync(shell, [...flags, '-c', ask(line, expected)], {
          encoding: 'utf8',
          cwd: folder,
          timeout: 30_000,
          env: { PATH: `${folder}:/usr/bin:/bin`, HOME: folder, TERM: 'dumb' },
        })
        for (const word of expected)
          assert.match(stdout, new RegExp(`(^|\\s)${word}(\\s|$)`, 'm'), `${word}\n${stdout}\n${stderr}`)
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

test('every command has examples', async () => {
  for (const { name, load } of commands) {
    const { examples } = await load()
    assert.ok(examples !== undefined && examples.length > 0, name)
    for (const [typed, does] of examples) assert.ok(/\btscompose\b/.test(typed) && does.length > 3, `${name}: ${typed}`)
  }
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
