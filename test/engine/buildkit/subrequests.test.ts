import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { bench, dockerfile, folderForEach } from './bench.ts'

folderForEach()

describe('a request that is no build', () => {
  const ask = async (name: string): Promise<ReadonlyMap<string, string>> => {
    await using on = await bench(async () => assert.fail('nothing is to be built'))
    return await on.buildx({ attributes: { requestid: name }, request: { exporters: [] } })
  }

  test('checks a Dockerfile', async () => {
    const answer = await ask('frontend.lint')
    assert.equal(answer.get('result.statuscode'), '1')
    assert.equal(
      answer.get('result.txt'),
      `
WARNING: FromAsCasing - https://example.com/rule
'as' and 'FROM' keywords' casing do not match
Dockerfile:1
--------------------
   1 | >>> FROM a as one
   2 |     FROM one
--------------------
`,
    )
    assert.deepEqual(JSON.parse(answer.get('result.json')!), {
      warnings: [
        {
          ruleName: 'FromAsCasing',
          description: 'The casing should match',
          url: 'https://example.com/rule',
          detail: "'as' and 'FROM' keywords' casing do not match",
          location: { ranges: [{ start: { line: 1 }, end: { line: 1 } }] },
        },
      ],
      sources: [
        { filename: 'Dockerfile', language: 'Dockerfile', data: Buffer.from(dockerfile.text).toString('base64') },
      ],
    })
  })

  test('lists targets, and what can be asked', async () => {
    assert.equal((await ask('frontend.targets')).get('result.txt'), 'TARGET    DESCRIPTION\none       \n(default) \n')
    const text = (await ask('frontend.subrequests.describe')).get('result.txt') ?? ''
    assert.match(text, /^NAME +VERSION DESCRIPTION\nlint +1\.0\.0 {3}Lint a Dockerfile\n/)
    await assert.rejects(ask('frontend.outline'), { message: 'nothing to outline' })
    await assert.rejects(ask('frontend.magic'), { message: 'unsupported request frontend.magic' })
  })
})
