/* Element types of weight tensors, as numbered by ggml. */
#ifndef LKS_KERNELS_TENSOR_TYPE_H
#define LKS_KERNELS_TENSOR_TYPE_H

typedef enum lks_tensor_type {
    LKS_F32 = 0,
    LKS_F16 = 1,
    LKS_Q4_0 = 2,
    LKS_Q4_1 = 3,
    LKS_Q5_0 = 6,
    LKS_Q5_1 = 7,
    LKS_Q8_0 = 8,
    LKS_Q4_K = 12,
    LKS_Q5_K = 13,
    LKS_Q6_K = 14,
    LKS_BF16 = 30
} lks_tensor_type;

#endif
