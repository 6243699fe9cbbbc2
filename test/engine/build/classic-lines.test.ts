/** The lines of Docker's classic builder. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ClassicLines } from '../../../src/engine/build/classic/classic-lines.ts'
import { Box, touch } from './builder-box.ts'

test('a build is told step by step, each FROM as it is written, and what becomes of the container of a command', async t => {
  const box = await Box.open(t)
  box.run = touch
  const { events } = await box.build('ARG B=base\nFROM $B:1  AS one\nENV A=1\nRUN ["touch", "x"]\nFROM one\nCMD run\n')
  const said: string[] = []
  const lines = new ClassicLines(({ stream = '' }) => said.push(stream))
  for (const event of events) lines.add(event)
  lines.flush()
  assert.deepEqual(
    said
      .join('')
      .replaceAll(/[0-9a-f]{12}/g, '<ID>')
      .trimEnd()
      .split('\n'),
    [
      'Step 1/5 : FROM $B:1  AS one',
      'Step 2/5 : ENV A=1',
      'Step 3/5 : RUN ["touch", "x"]',
      ' ---> Not cached: never built',
      ' ---> Running in <ID>',
      ' ---> Removed intermediate container <ID>',
      'Step 4/5 : FROM one',
      'Step 5/5 : CMD run',
    ],
  )
})
