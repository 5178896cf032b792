"""From texts to embeddings: the encoder protocol, its OpenVINO and PyTorch backends, and the files of models."""
