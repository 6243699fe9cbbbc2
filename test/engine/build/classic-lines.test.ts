/** The lines of Docker's classic builder. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ClassicLines } from '../../../src/engine/build/classic/classic-lines.ts'
import { Box, touch } from './builder-box.ts'

test('a build is told step by step, each FROM as it is written, and what becomes of the container of a command', async t => {
  const box = await Box.open(t)
  box.run = async command => {
    command.onContainer('0123456789ab'.padEnd(64, 'c'))
    return await touch(command)
  }
  const { events } = await box.build('ARG B=base\nFROM $B:1  AS one\nENV A=1\nRUN ["touch", "x"]\nFROM one\nCMD run\n')
  const said = (keepsContainers: boolean): readonly string[] => {
    const pieces: string[] = []
    const lines = new ClassicLines(({ stream = '' }) => pieces.push(stream), keepsContainers)
    for (const event of events) lines.add(event)
    lines.flush()
    return pieces.join('').trimEnd().split('\n')
  }
  const [removed, rest] = [
    ' ---> Removed intermediate container 0123456789ab',
    ['Step 4/5 : FROM one', 'Step 5/5 : CMD run'],
  ]
  const first = [
    'Step 1/5 : FROM $B:1  AS one',
    'Step 2/5 : ENV A=1',
    'Step 3/5 : RUN ["touch", "x"]',
    ' ---> Not cached: never built',
    ' ---> Running in 0123456789ab',
  ]
  assert.deepEqual(said(false), [...first, removed, ...rest])
  assert.deepEqual(said(true), [...first, ...rest])
})
