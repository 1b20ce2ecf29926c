// 登录
const login = async (username, password) => {
    const response = await fetch('/api/auth/login', {
        method: 'POST',
        headers: {
            'Content-Type': 'application/json',
        },
        body: JSON.stringify({ username, password })
    });
    return await response.json();
};

// 使用示例
const result = await login('dr_wang', '123456');
if (result.success) {
    localStorage.setItem('token', result.data.token);
    console.log('登录成功:', result.data.user);
}

// 获取用户信息
const getProfile = async () => {
    const token = localStorage.getItem('token');
    const response = await fetch('/api/auth/profile', {
        headers: {
            'Authorization': `Bearer ${token}`
        }
    });
    return await response.json();
};

// 获取模型列表（需要登录）
const getModels = async () => {
    const token = localStorage.getItem('token');
    const response = await fetch('/api/models', {
        headers: {
            'Authorization': `Bearer ${token}`
        }
    });
    return await response.json();
};
