import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type GitAddress, parseGitAddress } from '../../../../src/engine/build/dockerfile/git-source.ts'

const nothing = {
  ref: undefined,
  subdir: undefined,
  checksum: undefined,
  keepGitDir: undefined,
  submodules: undefined,
}

describe('parseGitAddress()', () => {
  const cases: ReadonlyArray<readonly [text: string, address: Partial<GitAddress> & Pick<GitAddress, 'remote'>]> = [
    ['https://h.test/a/b.git', { remote: 'https://h.test/a/b.git' }],
    ['HTTP://h.test/b.git', { remote: 'http://h.test/b.git' }],
    ['https://h.test/b.git#v1:sub/dir', { remote: 'https://h.test/b.git', ref: 'v1', subdir: 'sub/dir' }],
    ['https://h.test/b.git#:sub', { remote: 'https://h.test/b.git', subdir: 'sub' }],
    ['git://h.test/b#main', { remote: 'git://h.test/b', ref: 'main' }],
    ['ssh://git@h.test:22/b', { remote: 'ssh://git@h.test:22/b' }],
    ['git@h.test:a/b.git#c', { remote: 'git@h.test:a/b.git', ref: 'c' }],
    ['https://h.test/b.git?tag=v1', { remote: 'https://h.test/b.git', ref: 'refs/tags/v1' }],
    ['https://h.test/b.git?branch=refs/heads/x', { remote: 'https://h.test/b.git', ref: 'refs/heads/x' }],
    [
      'git@h.test:b?ref=x&subdir=y&checksum=abc&keep-git-dir&submodules=false',
      {
        remote: 'git@h.test:b',
        ref: 'x',
        subdir: 'y',
        checksum: 'abc',
        keepGitDir: true,
        submodules: false,
      },
    ],
  ]
  for (const [text, address] of cases) {
    test(`reads ${text}`, () => assert.deepEqual(parseGitAddress(text), { ...nothing, ...address }))
  }

  for (const text of ['a/b', './x.git', 'https://h.test/b.tgz', 'ftp://h.test/b.git', 'github.com/a/b.git', 'C:x']) {
    test(`takes ${text} for no repository`, () => assert.equal(parseGitAddress(text), undefined))
  }

  const wrong: ReadonlyArray<readonly [query: string, message: string]> = [
    ['?foo=1', 'unexpected query "foo"'],
    ['?ref=', 'query "ref" has no value'],
    ['?ref=a&ref=b', 'query "ref" has multiple values'],
    ['?ref=a#b', 'ref conflicts: "b" vs "a"'],
    ['?tag=a&branch=b', 'branch conflicts with tag'],
    ['?subdir=a#:b', 'subdir conflicts: "b" vs "a"'],
    ['?submodules=x', 'invalid submodules value: "x"'],
  ]
  for (const [query, message] of wrong) {
    test(`refuses ${query}`, () => {
      assert.throws(() => parseGitAddress(`https://h.test/b.git${query}`), { kind: 'invalid', message })
    })
  }
})
