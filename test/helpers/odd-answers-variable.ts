/** Names the file into which engines in processes of their own write what their answers differ by; a line each, as JSON. */
export const oddAnswersVariable = 'HATCHET_TEST_ODD_ANSWERS';
