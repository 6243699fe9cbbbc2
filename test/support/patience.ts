/** How much longer everything may take here than on a machine of people: TSCOMPOSE_TEST_PATIENCE, which an emulated machine sets (test/vm/run.ts). */
export const patience = Math.max(1, Number(process.env.TSCOMPOSE_TEST_PATIENCE ?? 1) || 1)
