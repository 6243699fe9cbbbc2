import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Inspection } from '../../../src/engine/build/inspect.ts'
import { answerSubrequest } from '../../../src/engine/buildkit/subrequests.ts'
import { SourceFailure } from '../../../src/engine/dockerfile/source-failure.ts'

const source = { name: 'Dockerfile', text: 'FROM a AS b\nCMD c\n' }
const data = Buffer.from(source.text).toString('base64')
const lines = { first: 2, last: 3 }
const location = {
  ranges: [
    { start: { line: 2 }, end: { line: 2 } },
    { start: { line: 3 }, end: { line: 3 } },
  ],
}

async function ask(name: string, inspection: Inspection): Promise<Record<string, string>> {
  const answer = await answerSubrequest(name, async question => {
    assert.equal(question, inspection.question)
    return inspection
  })
  return Object.fromEntries([...answer].map(([key, value]) => [key, Buffer.from(value).toString()]))
}

describe('answerSubrequest()', () => {
  test('tells warnings by JSON, by text in the order of their lines, and that there are some', async () => {
    const warning = { rule: 'UndefinedVar', message: 'text', description: 'why', url: 'http://x.test', lines }
    const first = { ...warning, rule: 'Other', url: '', lines: { first: 1, last: 1 } }
    const found = await ask('frontend.lint', {
      question: 'check',
      source,
      warnings: [warning, first],
      error: undefined,
    })
    assert.deepEqual(JSON.parse(found['result.json']!), {
      warnings: [
        { ruleName: 'UndefinedVar', description: 'why', url: 'http://x.test', detail: 'text', location },
        {
          ruleName: 'Other',
          description: 'why',
          detail: 'text',
          location: { ranges: [{ start: { line: 1 }, end: { line: 1 } }] },
        },
      ],
      sources: [{ filename: 'Dockerfile', language: 'Dockerfile', data }],
    })
    assert.match(found['result.txt']!, /^\nWARNING: Other\ntext\nDockerfile:1\n[\s\S]*\nWARNING: UndefinedVar - http:/)
    assert.equal(found['result.statuscode'], '1')
  })

  test('tells what a build would end with, and where', async () => {
    const error = new SourceFailure('no good', lines)
    const found = await ask('frontend.lint', { question: 'check', source, warnings: [], error })
    assert.deepEqual(JSON.parse(found['result.json']!).buildError, { message: 'no good', location })
    assert.equal(found['result.statuscode'], '1')
  })

  test('is content with a file without any', async () => {
    const found = await ask('frontend.lint', { question: 'check', source, warnings: [], error: undefined })
    assert.equal(found['result.statuscode'], '0')
    assert.equal(found['result.txt'], '')
  })

  test('lists targets', async () => {
    const entry = { isDefault: false, description: undefined, base: 'a', platform: undefined, lines }
    const found = await ask('frontend.targets', {
      question: 'targets',
      source,
      targets: [
        { ...entry, name: 'b', description: 'to build' },
        { ...entry, name: undefined, isDefault: true },
      ],
    })
    assert.equal(found['result.txt'], 'TARGET    DESCRIPTION\nb         to build\n(default) \n')
    assert.deepEqual(JSON.parse(found['result.json']!), {
      targets: [
        { name: 'b', description: 'to build', base: 'a', location },
        { default: true, base: 'a', location },
      ],
      sources: [data],
    })
  })

  test('outlines what a build may be given', async () => {
    const found = await ask('frontend.outline', {
      question: 'outline',
      source,
      outline: {
        name: 'b',
        description: undefined,
        args: [{ name: 'V', value: '1', description: 'a version', lines }],
        secrets: [{ name: 'token', required: true, lines }],
        ssh: [],
      },
    })
    assert.equal(
      found['result.txt'],
      'TARGET: b\n\nBUILD ARG   VALUE   DESCRIPTION\nV           1       a version\n\nSECRET   REQUIRED\ntoken    true\n\n',
    )
    assert.deepEqual(JSON.parse(found['result.json']!), {
      name: 'b',
      args: [{ name: 'V', description: 'a version', value: '1', location }],
      secrets: [{ name: 'token', required: true, location }],
      sources: [data],
    })
  })

  test('refuses what it does not know by name', async () => {
    await assert.rejects(
      answerSubrequest('frontend.other', () => assert.fail('asked')),
      { kind: 'unsupported', message: 'unsupported request frontend.other' },
    )
  })
})
